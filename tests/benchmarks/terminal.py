"""The real `tui-chat` in a real pty, watched byte by byte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

_NOT_SHOWN = re.compile(rb"\x1b\[[<>][\d;]*[um]|\x1b\[\d+;\d+t|\x1b\[\?\d+\$p")
"""Sequences that a terminal ignores and the emulation of one prints."""


class Terminal:
    """Runs a command in a pty of a given size and reads all that it paints."""

    def __init__(self, arguments: list[str], env: dict[str, str], columns: int = 120, rows: int = 40) -> None:
        self.started = time.perf_counter()
        self.bytes_read = 0
        self._seen = b""
        self._unfed = bytearray()
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(env, TERM="xterm-256color", COLORTERM="truecolor")
            os.environ.pop("TMUX", None)
            os.execv(arguments[0], arguments)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @classmethod
    def chat(cls, *arguments: str, env: dict[str, str]) -> Self:
        """Open the installed `tui-chat`."""
        return cls([str(Path(sys.executable).with_name("tui-chat")), *arguments], env)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, keys: str) -> float:
        """Press keys; returns when that was (`perf_counter`)."""
        self._seen = b""
        pressed = time.perf_counter()
        os.write(self._fd, keys.encode())
        return pressed

    def wait_for(self, marker: str, timeout: float = 60.0) -> float:
        """Read until `marker` is painted; returns when that was. Raises TimeoutError with the last bytes."""
        wanted = marker.encode()
        deadline = time.perf_counter() + timeout
        while wanted not in self._seen:
            if not self.pump(deadline - time.perf_counter()):
                raise TimeoutError(f"{marker!r} was not painted; the last bytes: {self._seen[-2000:]!r}")
        return time.perf_counter()

    def wait_shown(self, marker: str, timeout: float = 60.0) -> float:
        """Read until `marker` is on the screen, painted just now or not; returns when that was.

        Only what changes is painted: what stood there before in part is never written whole.
        """
        deadline = time.perf_counter() + timeout
        while True:
            self._stream.feed(_NOT_SHOWN.sub(b"", bytes(self._unfed)))
            self._unfed.clear()
            if any(marker in line for line in self._screen.display):
                return time.perf_counter()
            if not self.pump(deadline - time.perf_counter()):
                shown = "\n".join(self._screen.display)
                raise TimeoutError(f"{marker!r} was not shown; on the screen is:\n{shown}")

    def pump(self, timeout: float) -> bool:
        """Read what is there, waiting up to `timeout` seconds; False when nothing came."""
        if timeout <= 0 or not select.select([self._fd], [], [], timeout)[0]:
            return False
        try:
            chunk = os.read(self._fd, 1 << 20)
        except OSError:
            return False
        self.bytes_read += len(chunk)
        self._unfed += chunk
        self._seen = (self._seen + chunk)[-64_000:]
        return True

    def pump_for(self, seconds: float) -> None:
        """Keep reading for a while."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self.pump(left)

    def close(self) -> None:
        """End the program as a closed window does."""
        os.close(self._fd)
        deadline = time.perf_counter() + 5
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.perf_counter() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return
            time.sleep(0.01)
