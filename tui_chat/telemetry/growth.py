"""Which processes take more RAM than a minute ago; read from /proc, and told nowhere else than on Linux."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from tui_chat.wire.scarce import Grower

WINDOW_S = 60.0
_EVERY_S = 10.0
_PROC = Path("/proc")
_TOLD = 3
WORTH_BYTES = 64 << 20
"""Growth below this is not worth a word."""


class Growth:
    """Looks at all processes now and then: a few milliseconds for a few hundred of them."""

    def __init__(self, proc: Path = _PROC, every_s: float = _EVERY_S) -> None:
        self._proc = proc
        self._every_s = every_s
        self._seen: deque[tuple[float, dict[int, int]]] = deque()

    def look(self, *, now: bool) -> None:
        """Take note of what everybody has, if it is time to, or if that is wanted `now`."""
        at = time.monotonic()
        if self._seen and not now and at - self._seen[-1][0] < self._every_s:
            return
        self._seen.append((at, self._resident()))
        while len(self._seen) > 2 and at - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    def growers(self) -> tuple[Grower, ...]:
        """Who has grown most within the last minute."""
        if len(self._seen) < 2:
            return ()
        before, now = self._seen[0][1], self._seen[-1][1]
        grown = {pid: taken - before.get(pid, 0) for pid, taken in now.items()}
        most = sorted((pid for pid in grown if grown[pid] >= WORTH_BYTES), key=lambda pid: -grown[pid])
        return tuple(Grower(pid, self._name(pid), grown[pid]) for pid in most[:_TOLD])

    def _resident(self) -> dict[int, int]:
        """Bytes of RAM that every process takes, pages that it shares included."""
        page = os.sysconf("SC_PAGE_SIZE")
        found: dict[int, int] = {}
        with suppress(OSError):
            for entry in self._proc.iterdir():
                if entry.name.isdigit():
                    with suppress(OSError, ValueError, IndexError):  # it may have ended
                        found[int(entry.name)] = int((entry / "statm").read_text().split()[1]) * page
        return found

    def _name(self, pid: int) -> str:
        with suppress(OSError):
            return (self._proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
        return ""
