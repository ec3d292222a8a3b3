"""Streamed text gathered and shown at a steady rate, slower where showing it is dear."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time

from textual.message_pump import MessagePump
from textual.timer import Timer

from tui_chat.wire.events import Channel

SHARE = 0.04
"""Share of a processor that may go into showing text: decoding on all of them waits for the slowest."""

_LONGEST = 0.25
"""Seconds text is held back at most, however dear it is to show."""


class Flusher:
    """Holds text back and hands it over in flushes.

    Args:
        pump: The widget whose timers are used.
        fps: Flushes a second, at most.
        show: Called with an id and what was added to its answer and its thinking.
    """

    def __init__(self, pump: MessagePump, fps: float, show: Callable[[str, str, str], None]) -> None:
        self._pump = pump
        self._period = 1 / fps
        self._show = show
        self._waiting: dict[str, tuple[list[str], list[str]]] = {}
        self._timer: Timer | None = None
        self._last = 0.0
        self._cost = 0.0

    def flush_at(self, fps: float) -> None:
        """Flush so many times a second from now on, at most."""
        self._period = 1 / fps

    def add(self, id: str, text: str, channel: Channel) -> None:
        """Take text for the next flush."""
        answer, thinking = self._waiting.setdefault(id, ([], []))
        (thinking if channel is Channel.THINKING else answer).append(text)
        if self._timer is None:
            pause = min(_LONGEST, max(self._period, self._cost / SHARE))
            self._timer = self._pump.set_timer(max(0.001, self._last + pause - perf_counter()), self._flush)

    def drop(self, id: str) -> None:
        """Forget what waits for an id, because its whole text is known."""
        self._waiting.pop(id, None)

    def drain(self) -> None:
        """Show what waits, now."""
        waiting, self._waiting = self._waiting, {}
        for key, (answer, thinking) in waiting.items():
            self._show(key, "".join(answer), "".join(thinking))

    def _flush(self) -> None:
        self._timer = None
        self._last = perf_counter()
        start = thread_time()
        self.drain()
        self._pump.call_after_refresh(self._painted, start)

    def _painted(self, start: float) -> None:
        self._cost = thread_time() - start
