"""A burst of resizes told as one: a tiling window manager or a dragged edge sends hundreds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.events import Resize

CALM_S = 0.04
"""How long no further resize must have come."""

LONGEST_S = 0.4
"""How long a burst may last before it is told in between, so that a dragged edge is followed."""


class Settled:
    """Holds resizes back until they have settled.

    Args:
        loop: Whose timers are used.
        tell: Called with the last resize of a burst.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[Resize], None]) -> None:
        self._loop = loop
        self._tell = tell
        self._last: Resize | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def put(self, resize: Resize) -> None:
        """Take a resize."""
        now = self._loop.time()
        if self._timer is None:
            self._due = now + LONGEST_S
        else:
            self._timer.cancel()
        self._last = resize
        self._timer = self._loop.call_at(min(self._due, now + CALM_S), self._settle)

    def _settle(self) -> None:
        resize, self._last, self._timer = self._last, None, None
        if resize is not None:
            self._tell(resize)
