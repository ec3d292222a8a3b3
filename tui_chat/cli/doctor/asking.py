"""Looks at the terminal that we run in, and asks it a few things; it need not answer."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping

from tui_chat.cli.doctor.terminal import Seen

PATIENCE_S = 0.6
"""How long to wait for an answer; a line around the world takes 0.3 s."""
_QUESTIONS = b"\x1b]11;?\x1b\\\x1b[?u\x1b[c"
"""Its background, its keyboard protocol, and last what every terminal knows: what it is."""
_ANSWERS = {
    "what it is": re.compile(rb"\x1b\[\?[\d;]*c"),
    "its background": re.compile(rb"\x1b\]11;rgb"),
    "the Kitty keyboard protocol": re.compile(rb"\x1b\[\?\d+u"),
}
_LAST = _ANSWERS["what it is"]
_SILENT = ("", "dumb", "linux", "vt")
"""Terminals that would print a question instead of answering it; what begins so, or is that."""


def look(environ: Mapping[str, str]) -> Seen | None:
    """Look at the terminal; None where there is none."""
    streams = [stream for stream in (sys.stdin, sys.stdout, sys.stderr) if stream is not None]
    fd = next((stream.fileno() for stream in streams if stream.isatty()), None)
    if fd is None:
        return None
    size = None
    with contextlib.suppress(OSError):
        size = tuple(os.get_terminal_size(fd))
    term = environ.get("TERM", "")
    asked = not any(term == each or (each and term.startswith(each)) for each in _SILENT)
    return Seen((size[0], size[1]) if size else None, _described(term), _answers() if asked else None)


def _described(term: str) -> bool:
    import curses

    try:
        with open(os.devnull, "rb") as nowhere:  # noqa: PTH123 - a device, of which only the number matters
            curses.setupterm(term or "unknown", nowhere.fileno())
    except curses.error:
        return False
    return True


def _answers() -> tuple[str, ...] | None:
    """Ask; None where we must not, because another process group has the terminal."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        if os.tcgetpgrp(fd) != os.getpgrp():
            return None
        with _raw(fd):
            os.write(fd, _QUESTIONS)
            told = _read(fd)
    except (OSError, termios.error):
        return None
    finally:
        os.close(fd)
    return tuple(name for name, pattern in _ANSWERS.items() if pattern.search(told))


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)  # answers that come late are not typed


def _read(fd: int) -> bytes:
    told, deadline = b"", time.monotonic() + PATIENCE_S
    while not _LAST.search(told) and (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([fd], [], [], left)
        if ready:
            told += os.read(fd, 1024)
    return told
