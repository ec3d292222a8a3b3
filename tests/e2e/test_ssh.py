"""Over SSH: a real server, a real client in a real terminal, and lines that stall and drop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.sshd import Line, ssh_server
from tests.e2e.test_survival import SETTLED, answered, ask_and_wait_for_text, settle
from tests.e2e.tmux import Tmux
from tests.homes import Home, answers_of, sessions_of
from tests.worker.support import wait_until
from tui_chat.chat.model import FinishReason
from tui_chat.store.files import is_alive


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Iterator[Line]:
    with ssh_server(tmp_path) as line:
        yield line


def test_a_chat_over_ssh_copies_to_the_clipboard_at_this_end(short_answers: Home, line: Line) -> None:
    with Tmux(program=line.tui_chat()) as chat:
        chat.wait("Ask anything")
        chat.type("Name a colour.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        chat.keys("F8")
        chat.wait("copied")
        answer = answers_of(sessions_of(short_answers)[0])[0].text
        chat.wait_until(lambda _: chat.clipboard().strip() == answer.strip(), "the answer in the clipboard")


@pytest.mark.parametrize("stalls_first", [False, True], ids=["drops", "stalls, then drops"])
def test_a_line_that_drops_loses_no_answer_and_leaves_nobody_behind(
    long_answers: Home, line: Line, stalls_first: bool
) -> None:
    with Tmux(program=line.tui_chat()) as chat:
        ask_and_wait_for_text(chat, long_answers)
        terminal = _terminal(long_answers)
        (client,) = psutil.Process(chat.pid).children()
        if stalls_first:
            client.suspend()
            chat.wait_until(lambda _: answered(long_answers), "the answer to end")
        client.kill()
        chat.wait_exit()
    wait_until(lambda: not is_alive(terminal.pid))
    with Tmux(program=line.tui_chat("--continue")) as chat:
        chat.wait(SETTLED)
        settle(chat, long_answers)
        (answer,) = answers_of(sessions_of(long_answers)[0])
        assert answer.answer is not None
        assert answer.answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
        assert answer.text.split()[-1] in chat.screen()
        assert "read-only" not in chat.screen()


def test_a_line_that_is_dead_but_not_hung_up_gives_the_chat_to_the_next_one(
    long_answers: Home, line: Line
) -> None:
    with Tmux(program=line.tui_chat()) as dead:
        ask_and_wait_for_text(dead, long_answers)
        dead.type("half a thought")
        dead.wait_until(lambda _: _drafted(long_answers, "half a thought"), "the draft")
        (client,) = psutil.Process(dead.pid).children()
        client.suspend()
        before = _terminal(long_answers)
        with Tmux(program=line.tui_chat("--continue")) as chat:
            chat.wait("read-only")
            chat.keys("C-t")
            chat.wait_gone("read-only")
            chat.wait("half a thought")
            settle(chat, long_answers)
            (answer,) = answers_of(sessions_of(long_answers)[0])
            assert answer.answer is not None
            assert answer.answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
            wait_until(lambda: not is_alive(before.pid))
            chat.keys("Enter")
            chat.wait_until(lambda _: len(answers_of(sessions_of(long_answers)[0])) == 2, "another answer")
        client.kill()


def _terminal(home: Home) -> psutil.Process:
    found = []
    for process in home.processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # a starter of the engine, which has just left
            if "tui-chat" in " ".join(process.cmdline()[:2]):
                found.append(process)
    (terminal,) = found
    return terminal


def _drafted(home: Home, text: str) -> bool:
    return any(text in file.read_text() for file in (home.paths.state / "drafts").glob("*"))
