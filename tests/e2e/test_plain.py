"""The chat line by line in real terminals, with the real engine and model, on the screen's own sessions."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from tests.e2e.tmux import PATIENCE_S, TUI_CHAT, Tmux
from tests.homes import Home, answers_of, sessions_of
from tests.pictures import png
from tui_chat.chat.model import FinishReason

MODEL = "SmolLM2-135M-Instruct.Q4_1: "
QUESTION = "Write a long story about a lighthouse keeper."


class Lines:
    """`tui-chat --plain` on a terminal that keeps every byte it is sent."""

    def __init__(self, *arguments: str, term: str = "dumb") -> None:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # as a shell leaves it to what it starts
            os.execvpe(TUI_CHAT, [TUI_CHAT, "--plain", *arguments], os.environ | {"TERM": term})
        self.told = ""
        self._seen = 0
        self.status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait(self, wanted: str) -> str:
        """Wait for `wanted` (a regular expression) in what came since the last wait; return that."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(wanted, self.told[self._seen :])):
            assert self._more(deadline), f"no {wanted!r} in: {self.told[self._seen :]}"
        fresh = self.told[self._seen : self._seen + found.end()]
        self._seen += found.end()
        return fresh

    def wait_exit(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self._more(deadline):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))
        try:
            came = os.read(self._fd, 1 << 16) if ready else b""
        except OSError:  # the program has left
            came = b""
        self.told += came.decode(errors="replace").replace("\r\n", "\n")
        return bool(came)


def test_asked_stopped_and_left_on_a_dumb_terminal(endless_answers: Home) -> None:
    with Lines() as chat:
        chat.wait("/help lists what else can be done")
        chat.wait("you: ")
        chat.type(f"{QUESTION}\r")
        chat.wait(r"\(loading SmolLM2")
        chat.wait(re.escape(MODEL) + r"(\w+\W+){5}")
        chat.type("\x03")
        chat.wait(r"\(stopped; what was said is kept\)\n")
        chat.wait("you: ")
        chat.type("/modle\r")
        chat.wait("Did you mean /model?")
        chat.wait("you: ")
        chat.type("half a line")
        chat.wait("half a line")
        chat.type("\x03")
        chat.wait("not sent")
        chat.wait("you: ")
        chat.type("\x03")
        chat.wait("tui-chat --plain --continue")
        assert chat.wait_exit() == 0
        assert "\x1b" not in chat.told, "nothing but lines"
        assert "\x08" not in chat.told
        assert chat.told.count("(loading") == 1
    (session,) = sessions_of(endless_answers)
    (answer,) = answers_of(session)
    assert answer.answer is not None
    assert answer.answer.finish is FinishReason.CANCELLED
    assert answer.text
    assert answer.text.split()[:4] == chat.told.partition(MODEL)[2].split()[:4]


def test_one_session_on_the_screen_and_in_lines(long_answers: Home) -> None:
    with Tmux() as screen:
        screen.wait("every word is kept")
        screen.type(QUESTION)
        screen.keys("Enter")
        screen.wait("tok/s")
        screen.hang_up()
    with Lines("--continue", term="xterm-256color") as chat:
        before = chat.wait(re.escape(MODEL))
        assert f"you: {QUESTION}" in before
        chat.wait("you: ")
        (session,) = sessions_of(long_answers)
        (answer,) = answers_of(session)
        assert answer.answer is not None
        assert answer.answer.finish in (FinishReason.LENGTH, FinishReason.STOP)
        told = chat.told.partition(MODEL)[2]
        assert told.replace("\n", "").startswith(answer.text.replace("\n", "")), "all of it is said"
        chat.type("\x1b[A")  # the prompt of the screen's history
        chat.wait("lighthouse keeper")
        chat.type("\x15/retry\r")
        chat.wait(re.escape(MODEL))
        chat.wait("you: ")
        chat.type("/quit\r")
        assert chat.wait_exit() == 0
    (session,) = sessions_of(long_answers)
    assert len(answers_of(session)) == 2
    with Tmux("--continue") as screen:
        screen.wait("2 of 2")
        screen.keys("C-q")
        screen.wait_exit()


def test_several_lines_and_words_from_a_pipe(short_answers: Home) -> None:
    lines = '"""Say this:\nbanana"""\n/show\n/model nobody\n/resume nothing\n/undo\n/new\n/sessions\n'
    done = short_answers.run("--plain", input=lines)
    assert (done.returncode, done.stderr) == (0, "")
    (session,) = sessions_of(short_answers)
    assert session.title.startswith("Say this")
    assert done.stdout.count("you: Say this:\nbanana\n") >= 1
    assert done.stdout.count(MODEL) == 2, "said when it came, and shown again, with its name"
    assert "There is no model called “nobody”" in done.stdout
    assert "No chats are called “nothing”" in done.stdout
    assert "Taken back; /redo does it again. The chat is empty." in done.stdout
    assert session.id in done.stdout
    command = [TUI_CHAT, "--plain", "--model", "nobody"]
    odd = subprocess.run(command, input=b"caf\xe9 \x1b[2J\n", capture_output=True, timeout=60)
    assert odd.returncode == 0
    told = odd.stdout.decode()
    assert told.index("There is no model called “nobody”") < told.index(f"{MODEL[:-2]} answers.")
    assert "you: caf\N{REPLACEMENT CHARACTER} [2J\n" in told
    kept_nowhere = short_answers.run("--plain", "--ephemeral", input="Hello\n")
    assert "Nothing of this chat was kept." in kept_nowhere.stdout
    assert len(sessions_of(short_answers)) == 2


def test_files_go_with_a_message_and_pictures_only_to_who_can_see(short_answers: Home) -> None:
    sea, notes = short_answers.root / "sea.png", short_answers.root / "notes.txt"
    sea.write_bytes(png(800, 600))
    notes.write_text("banana\n")
    refused = short_answers.run("--plain", input=f"/attach nothing.png\n/attach {sea}\nWhat is it?\n")
    assert "nothing.png cannot be read: No such file" in refused.stdout
    assert f"With your next message goes {sea} (800×600 · " in refused.stdout
    assert "lies beside its file. No model here can. Nothing was sent" in refused.stdout
    assert sessions_of(short_answers) == []
    done = short_answers.run("--plain", input=f"/detach\n/attach {notes}\nRead it\n/show\n")
    assert done.stdout.count(f"With your next message goes {sea}") == 1, "it is kept with the draft"
    assert f"you: (attached: {notes}, 1 line · 7 B)\nRead it\n" in done.stdout
    (session,) = sessions_of(short_answers)
    assert [each.text for each in session.messages[0].attachments] == ["banana\n"]
    assert short_answers.run("--plain", input="").stdout.count("With your next message") == 0


def test_without_a_model_and_with_slips(empty_home: Home) -> None:
    with Lines("--resume", "nowhere") as chat:
        chat.wait(r"No sessions are called 'nowhere'. /sessions lists the chats")
        chat.wait("tui-chat models get starter")
        chat.wait("you: ")
        chat.type("Hello there\r")
        chat.wait("No model is chosen.")
        chat.wait("you: Hello there")  # given back
        chat.type("\x04")
        chat.type("\x15\x04")
        assert chat.wait_exit() == 0
    assert "Traceback" not in chat.told
    done = subprocess.run([TUI_CHAT, "--plain", "--preset", "none"], input="", capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr


TAKEN_BY_ANOTHER_THREAD = """
import asyncio, os, signal
from tui_chat.cli.plain.run import Loop

class Chat:
    async def stop_answer(self):
        stopped.set()

async def answer():
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    await stopped.wait()
    return "stopped"

stopped = asyncio.Event()
signal.signal(signal.SIGINT, signal.default_int_handler)
with Loop() as loop:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    print(loop.answer(Chat(), answer()))
"""


def test_ctrl_c_stops_also_when_the_system_hands_it_to_another_thread() -> None:
    script = [sys.executable, "-c", TAKEN_BY_ANOTHER_THREAD]
    done = subprocess.run(script, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout == "stopped\n"
