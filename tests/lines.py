"""A program in a pty at the other end of a line that is slow or late; its terminal answers, or does not."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

BURST = 128
"""Bytes that a throttled line may hand over at once."""

QUESTIONS = re.compile(rb"\x1b\[5n|\x1b\[\?2026\$p")
ANSWERS = {b"\x1b[5n": b"\x1b[0n", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}


@dataclass
class Line:
    """What lies between: bytes a second, seconds one way, and whether the terminal answers questions."""

    bytes_per_s: float = float("inf")
    delay_s: float = 0.0
    answers: bool = True
    _down: deque[tuple[float, bytes]] = field(default_factory=deque)
    _up: deque[tuple[float, bytes]] = field(default_factory=deque)
    _credit: float = 0.0
    _since: float = 0.0

    def room(self, now: float) -> int:
        """How many bytes may be taken from the program now."""
        if self.bytes_per_s == float("inf"):
            return 1 << 16
        self._credit = min(float(BURST), self._credit + (now - self._since) * self.bytes_per_s)
        self._since = now
        return int(self._credit)

    def took(self, chunk: bytes, now: float) -> None:
        """Put bytes of the program on their way."""
        if self.bytes_per_s != float("inf"):
            self._credit -= len(chunk)
        self._down.append((now + self.delay_s, chunk))


class Remote:
    """Runs a command in a pty and sees what it paints as somebody at the other end of a line does."""

    def __init__(
        self,
        command: Sequence[str],
        env: dict[str, str],
        line: Line | None = None,
        columns: int = 120,
        rows: int = 40,
    ) -> None:
        self.line = line or Line()
        self.all = bytearray()
        """Everything that has arrived."""
        self._asked = 0
        self._ended = False
        size = struct.pack("HHHH", rows, columns, 0, 0)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.environ.clear()
            os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor"} | env)
            os.environ.pop("TMUX", None)
            os.execv(command[0], list(command))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)
        deadline = time.monotonic() + 8
        while self.status is None and os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return
            time.sleep(0.01)

    status: int | None = None
    """How the program ended, once `wait_exit` has seen it."""

    def press(self, keys: str | bytes) -> float:
        """Press keys; returns when that was (`monotonic`)."""
        now = time.monotonic()
        self.line._up.append((now + self.line.delay_s, keys.encode() if isinstance(keys, str) else keys))
        return now

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, marker: str | bytes, since: int = 0, timeout: float = 90.0) -> float:
        """Read until `marker` has arrived after the first `since` bytes; returns when that was."""
        wanted = marker.encode() if isinstance(marker, str) else marker
        deadline = time.monotonic() + timeout
        while self.all.find(wanted, since) < 0:
            if time.monotonic() > deadline or self._ended:
                raise TimeoutError(f"{marker!r} did not arrive; the last: {bytes(self.all[-1500:])!r}")
            self.pump(0.05)
        return time.monotonic()

    def pump_for(self, seconds: float) -> None:
        """Let time pass."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.pump(left)

    def wait_exit(self, timeout: float = 90.0) -> int:
        """Read until the program has ended; returns its status."""
        deadline = time.monotonic() + timeout
        while True:
            self.pump(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.pump_for(0.05 + 2 * self.line.delay_s)
                return self.status
            if time.monotonic() > deadline:
                raise TimeoutError(f"it did not end; the last: {bytes(self.all[-1500:])!r}")

    def pump(self, timeout: float) -> None:
        """Move what is due in both directions, for `timeout` seconds at most."""
        line, now = self.line, time.monotonic()
        while line._up and line._up[0][0] <= now:
            os.write(self.fd, line._up.popleft()[1])
        while line._down and line._down[0][0] <= now:
            self._arrive(line._down.popleft()[1])
        due = [queue[0][0] - now for queue in (line._up, line._down) if queue]
        room = line.room(now)
        pause = max(0.0, min([timeout, *due] + [0.004] * (room < 64)))
        if self._ended or room < 64:
            time.sleep(pause)
            return
        if select.select([self.fd], [], [], pause)[0]:
            try:
                line.took(os.read(self.fd, room), time.monotonic())
            except OSError:
                self._ended = True
        if line._down and line._down[0][0] <= time.monotonic():
            self._arrive(line._down.popleft()[1])

    def _arrive(self, chunk: bytes) -> None:
        self.all += chunk
        if self.line.answers:
            for question in QUESTIONS.finditer(self.all, self._asked):
                self._asked = question.end()
                self.press(ANSWERS[question[0]])
