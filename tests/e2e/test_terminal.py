"""The real program in raw terminals: what it asks of them, leaves on them, and does when they are slow."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import pyte
import pytest

from tests.e2e.modes import left_behind
from tests.e2e.tmux import TUI_CHAT
from tests.homes import Home, answers_of, sessions_of
from tests.lines import Line, Remote

RAW = {"TMUX": "", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
STORY = "Write a long story about a lighthouse keeper."


class Seen:
    """What a person sees at the other end of a line."""

    def __init__(self, remote: Remote, columns: int = 120, rows: int = 40) -> None:
        self.remote = remote
        self._screen = pyte.Screen(columns, rows)
        self._screen.reset_mode(pyte.modes.DECAWM)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0

    def text(self) -> str:
        new = bytes(self.remote.all[self._fed :])
        self._fed += len(new)
        self._stream.feed(re.sub(rb"\x1b\[[<>][\d;]*[um]|\x1b\[\d+;\d+t|\x1b\[\?\d+\$p", b"", new))
        return "\n".join(self._screen.display)

    def resize(self, columns: int, rows: int) -> None:
        self.text()
        self._screen.resize(rows, columns)
        self.remote.resize(columns, rows)

    def until(self, test: Callable[[str], bool], what: str, patience: float = 90.0) -> str:
        deadline = time.monotonic() + patience
        while not test(text := self.text()):
            assert time.monotonic() < deadline, f"waited for {what}; on the screen is:\n{text}"
            self.remote.pump(0.05)
        return text

    def sees(self, wanted: str) -> str:
        return self.until(lambda text: re.search(wanted, text) is not None, wanted)

    def cells(self) -> list[list[object]]:
        self.text()
        return [[self._screen.buffer[y][x] for x in range(self._screen.columns)] for y in range(40)]


@contextmanager
def chatting(line: Line | None = None, *arguments: str, **more: str) -> Iterator[tuple[Remote, Seen]]:
    with Remote([TUI_CHAT, *arguments], {**os.environ, **RAW, **more}, line) as remote:
        yield remote, Seen(remote)


# Leaving


def _quit(remote: Remote) -> None:
    remote.press("\x11")


def _interrupt_twice(remote: Remote) -> None:
    remote.press("\x03")
    remote.pump_for(0.1)
    remote.press("\x03")


def _signal(number: int) -> Callable[[Remote], None]:
    return lambda remote: os.kill(remote.pid, number)


WAYS = {
    "ctrl+q": (_quit, 0),
    "ctrl+c twice": (_interrupt_twice, 0),
    "SIGTERM": (_signal(signal.SIGTERM), 128 + signal.SIGTERM),
    "SIGHUP": (_signal(signal.SIGHUP), 128 + signal.SIGHUP),
    "SIGINT": (_signal(signal.SIGINT), 128 + signal.SIGINT),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_on_the_terminal(empty_home: Home, way: str) -> None:
    leave, status = WAYS[way]
    with chatting() as (remote, seen):
        seen.sees("There is no model")
        leave(remote)
        assert remote.wait_exit() == status
    written = bytes(remote.all)
    assert left_behind(written[: written.index(b"There is no model")]), "the test can tell"
    assert left_behind(written) == []


def test_nothing_is_left_after_a_fault_of_ours(empty_home: Home) -> None:
    code = (
        "import sys; from tui_chat.ui.screens.chat import ChatScreen;"
        "ChatScreen.on_text_area_changed = lambda self, event: 1 / 0;"
        "from tui_chat.__main__ import main; sys.argv = ['tui-chat']; sys.exit(main())"
    )
    with Remote([sys.executable, "-c", code], {**os.environ, **RAW}) as remote:
        Seen(remote).sees("There is no model")
        remote.press("x")
        assert remote.wait_exit() == 1
    assert left_behind(bytes(remote.all)) == []
    assert b"Traceback" not in remote.all


# Terminals that say nothing


def test_a_terminal_that_answers_nothing_is_as_good_as_any(empty_home: Home) -> None:
    """Nothing that is asked of it is waited for: not at the start, not while it is used, not at the end."""
    for answers in (True, False):
        with chatting(Line(answers=answers)) as (remote, seen):
            seen.sees("There is no model")
            remote.press("hello")
            seen.sees("› hello")
            remote.press("\x15\x11")
            assert remote.wait_exit() == 0
            assert (b"\x1b[?2026h" in remote.all) is answers


# Resizes


def _conversation(cells: list[list[object]]) -> list[str]:
    """The lines of the conversation, without the instruments beside it, which live on."""
    return ["".join(cell.data for cell in row[:85]) for row in cells[1:36]]  # type: ignore[attr-defined]


def test_a_storm_of_resizes_ends_in_the_right_screen(long_answers: Home) -> None:
    with chatting() as (remote, seen):
        seen.sees("answers here")
        remote.press(f"{STORY}\r")
        seen.sees(r"answering, \d+ tokens")
        for number in range(200):
            remote.resize(40 + number % 120, 10 + number % 50)
            remote.pump(0.001)
        seen.resize(120, 40)
        seen.sees(r"\d+ tok/s · \d")
        seen.until(lambda text: "lighthouse keeper" in text.splitlines()[2], "the question at its place")
        (answer,) = answers_of(sessions_of(long_answers)[0])
        assert answer.text.split()[-1] in seen.text()
        before = seen.cells()
        painted = len(remote.all)
        os.kill(remote.pid, signal.SIGWINCH)  # everything is painted anew
        remote.wait_for(b"\x1b[40;1H", painted)
        seen.sees("F1 help")
        assert _conversation(before) == _conversation(seen.cells())
        assert not (long_answers.paths.logs / "ui.log").exists()


# Slow lines


def test_a_slow_line_is_found_out_and_told_and_keys_get_through(long_answers: Home) -> None:
    """20 KB/s, 50 ms each way: the answer comes no later than it is written."""
    with chatting(Line(20_000, 0.05)) as (remote, seen):
        seen.sees("answers here")
        told, deadline = re.compile("slow line, [234] paints a second"), time.monotonic() + 90
        opened = cycle((("\x1bOP", "\x1bOP"), ("\x1bOQ", "\x1b")))  # help and models, and back
        while not told.search(seen.text()):
            assert time.monotonic() < deadline, seen.text()
            for key in next(opened):
                remote.press(key)
                remote.pump_for(0.7)
        remote.press(f"{STORY}\r")
        seen.sees(r"\d+ tok/s")
        remote.press("still here")
        seen.sees("› still here")
        seen.sees(r"tok/s · slow line, [234] paints a second")
        remote.press("\x11")
        assert remote.wait_exit() == 0, remote.all[-500:]


def test_a_line_can_be_said_to_be_slow(empty_home: Home) -> None:
    with chatting(None, "--low-bandwidth") as (_, seen):
        seen.sees("low bandwidth, 2 paints a second")


# Title and notification


def test_title_and_notification_name_the_session_and_never_the_answer(home: Home) -> None:
    home.configure("[sampling]\ntemperature = 0\nmax_tokens = 12\n[ui]\nnotify_after_s = 0\n")
    with chatting(TERM_PROGRAM="WezTerm", LC_TERMINAL="") as (remote, seen):
        seen.sees("answers here")
        remote.press("Name three colours.\r\x1b[O")
        seen.sees(r"\d+ tok/s · \d")
        remote.wait_for("\x1b]9;tui-chat: answer ready in Name three colours\x07")
        assert b"\x1b]2;answering \xc2\xb7 " in remote.all
        remote.wait_for("\x1b]2;Name three colours · tui-chat\x1b\\".encode())
        seen_so_far = len(remote.all)
        remote.press("\x1b[IAnd three more?\r")
        seen.sees("And three more")
        seen.until(lambda _: len(answers_of(sessions_of(home)[0])) == 2, "a second answer")
        seen.until(lambda text: len(re.findall(r"\d+ tok/s · \d", text)) >= 2, "the second answer")
        remote.press("\x11")
        remote.wait_exit()
        assert b"\x1b]9;" not in remote.all[seen_so_far:], "somebody was looking"
        assert remote.all.rindex(b"\x1b[23;2t") > remote.all.rindex(b"\x1b]2;")
