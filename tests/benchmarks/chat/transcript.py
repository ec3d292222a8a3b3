"""The transcript in a real terminal: the cost of the 20,000th token, and a key while an answer streams.

The program under test is tests/ui/transcript/program.py, driven through a pseudo-terminal.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.harness import Row

PROGRAM = Path(__file__).parents[2] / "ui" / "transcript" / "program.py"
KEYS = 120
SIZE = (40, 120)
"""Rows and columns of the terminal."""


def rows() -> Iterator[Row]:
    """Measure, and yield the rows of the report."""
    from tests.benchmarks.harness import at_most, informs

    grown = run("grow")
    yield at_most("paint of the n-th token, last 10 % over first 10 % of 20,000", grown["ratio"], "", 1.5)
    yield at_most("one flush of 7 tokens with its paint, mean", grown["flush_ms"], "ms", 10.0)
    typed = run("type")
    yield informs("transcript alone, 1,000 messages: key to paint at 200 tok/s, p50", typed["p50_ms"], "ms")
    yield informs("transcript alone, 1,000 messages: key to paint at 200 tok/s, p99", typed["p99_ms"], "ms")
    yield at_most("transcript alone, 1,000 messages: memory of the process", typed["rss_mb"], "MB", 80.0)


def run(mode: str) -> dict[str, float]:
    """Run the program in a terminal of its own; type at it in mode `type`; return what was measured."""
    read, write = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.set_inheritable(write, True)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", TEXTUAL_FPS="120")
        os.execv(sys.executable, [sys.executable, str(PROGRAM), mode, str(write), str(KEYS)])
    os.close(write)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    screen = _Terminal(terminal)
    try:
        screen.wait(b"READY0", 60)
        delays = _type(screen) if mode == "type" else []
        screen.wait(b"DONE00", 300)
        with os.fdopen(read) as pipe:
            report: dict[str, float] = json.loads(pipe.readline())
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    if delays:
        delays.sort()
        report["p50_ms"], report["p99_ms"] = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    return report


class _Terminal:
    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._seen = b""

    def wait(self, marker: bytes, seconds: float) -> float:
        """Read until `marker` has been painted; return when that was."""
        end = time.monotonic() + seconds
        while marker not in self._seen:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{marker!r} was not painted in {seconds} s")
            self.read(left)
        return time.monotonic()

    def read(self, seconds: float) -> None:
        """Read what is painted within `seconds`, if anything is."""
        if select.select([self.fd], [], [], max(0.0, seconds))[0]:
            self._seen = (self._seen + os.read(self.fd, 1 << 20))[-100_000:]


def _type(screen: _Terminal) -> list[float]:
    chance = random.Random(3)
    delays = []
    for number in range(1, KEYS + 1):
        pause = time.monotonic() + chance.uniform(0.05, 0.2)
        while (left := pause - time.monotonic()) > 0:
            screen.read(left)
        pressed = time.monotonic()
        os.write(screen.fd, b"x")
        delays.append((screen.wait(b"K%05d" % number, 20) - pressed) * 1e3)
    os.write(screen.fd, b"x")
    return delays
