"""The app as a whole: what it loads before the first paint, and how it behaves when something breaks."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import psutil
import pytest

from tests.homes import Home
from tests.ui.support import Chats
from tests.worker.support import wait_until
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.chat import ChatScreen

HEAVY = ("httpx", "numpy", "llama_cpp", "markdown_it", "ollama", "pynvml", "psutil", "pygments.lexers.python")


async def test_an_action_that_fails_is_told_and_the_chat_goes_on(
    empty_chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: ChatScreen, pages: int) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(ChatScreen, "action_page", fail)
    async with empty_chats.open() as chat:
        await chat.press("pageup")
        screen = await chat.sees("that did not work")
        assert "boom" not in screen
        await chat.press(*"on")
        assert chat.prompt.text == "on"


async def test_a_model_can_be_named_in_part_or_by_its_path(chats: Chats) -> None:
    async with chats.open(opening=Opening(model="smollm2")) as chat:
        assert chat.conversation.session.model == "SmolLM2-135M-Instruct.Q4_1"
    path = next(chats.home.paths.models.glob("*.gguf"))
    async with chats.open(opening=Opening(model=str(path))) as chat:
        assert chat.conversation.session.model == "SmolLM2-135M-Instruct.Q4_1"
    other = chats.home.root / "other.gguf"
    other.write_bytes(path.read_bytes())
    async with chats.open(opening=Opening(model=str(other))) as chat:
        assert chat.conversation.session.model == str(other)
    async with chats.open(opening=Opening(model="nobody")) as chat:
        await chat.sees("There is no model called “nobody” on this machine.")
        assert chat.conversation.session.model == "SmolLM2-135M-Instruct.Q4_1"


def test_nothing_heavy_is_loaded_before_the_first_paint(empty_home: Home) -> None:
    code = (
        "import json, sys, tui_chat.ui.run, tui_chat.ui.app, tui_chat.ui.opening;"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert json.loads(loaded) == []


def test_a_fault_of_ours_leaves_in_order_and_without_a_traceback(empty_home: Home) -> None:
    """The message queue itself is made to fail; everything else is the real program in a real terminal."""
    code = (
        "import sys; from tui_chat.ui.screens.chat import ChatScreen;"
        "ChatScreen.on_text_area_changed = lambda self, event: 1 / 0;"
        "from tui_chat.__main__ import main; sys.argv = ['tui-chat']; sys.exit(main())"
    )
    pid, fd = _start("-c", code)
    try:
        _read(fd, b"There is no model")
        os.write(fd, b"x")
        seen = _read(fd, b"ui.log")
        assert b"\x1b[?1049l" in seen, "the terminal is as it was"
        assert b"Every message sent is kept" in seen
        assert b"Traceback" not in seen
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    finally:
        os.close(fd)
    assert "ZeroDivisionError" in (empty_home.paths.logs / "ui.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(empty_home: Home, number: signal.Signals) -> None:
    pid, fd = _start("-m", "tui_chat", TMUX="/nowhere,1,0")
    try:
        _read(fd, b"There is no model")
        os.kill(pid, number)
        assert b"\x1b[>4;0m" in _read(fd, b"\x1b[?1049l")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 128 + number
    finally:
        os.close(fd)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_even_when_the_terminal_takes_nothing_any_more(
    empty_home: Home, number: signal.Signals
) -> None:
    """A line that is dead but not hung up fills, and then every write to it waits forever."""
    pid, fd = _start("-m", "tui_chat")
    try:
        _read(fd, b"There is no model")
        _stall(fd, psutil.Process(pid))
        os.kill(pid, number)
        assert psutil.Process(pid).wait(timeout=60) is not None
    finally:
        os.close(fd)


def _start(*python: str, **more: str) -> tuple[int, int]:
    """Run Python with these arguments in a terminal of its own; returns its process and the other end."""
    pid, fd = pty.fork()
    if pid == 0:
        environ = {**os.environ, "TERM": "xterm-256color", **more}
        os.execve(sys.executable, [sys.executable, *python], environ)
    return pid, fd


def _stall(fd: int, program: psutil.Process) -> None:
    """Have it repaint, without reading any of it, until it waits for room in the terminal."""
    deadline = time.monotonic() + 60
    columns, full, waiting = 80, b"", 0
    while waiting < 10:
        assert time.monotonic() < deadline, "it never waited for the terminal"
        columns = 161 - columns
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        time.sleep(0.1)
        before, full = full, fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4)
        waiting = waiting + 1 if full == before != b"\0" * 4 else 0
    assert program.is_running()


def _read(fd: int, until: bytes) -> bytes:
    """Read until `until` was painted."""
    seen, deadline = b"", time.monotonic() + 90
    while until not in seen:
        assert time.monotonic() < deadline, seen[-500:]
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 65536)
    return seen


def test_leaving_while_the_engine_is_being_started_says_nothing(empty_home: Home) -> None:
    pid, fd = _start("-m", "tui_chat")
    try:
        _read(fd, b"enter")
        wait_until(lambda: psutil.Process(pid).children() or empty_home.engine())
        os.write(fd, b"\x11")
        said = _read(fd, b"\x1b[?1049l").partition(b"\x1b[?1049l")[2]
        with contextlib.suppress(OSError):  # the terminal is gone with its last program
            while more := os.read(fd, 65536):
                said += more
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert re.sub(rb"\x1b\[[?<>]?[0-9;]*[a-z]", b"", said).strip() == b""
    finally:
        os.close(fd)
