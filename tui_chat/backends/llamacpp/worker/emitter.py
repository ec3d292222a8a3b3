"""Gathers token by token text into events that are worth sending."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from tui_chat.backends.llamacpp.worker.thinking import Part
from tui_chat.wire.events import Channel, Delta, Event

INTERVAL_S = 1 / 30
"""Faster than a screen shows text, and few enough messages to cost the decode loop nothing."""

CROWDED_INTERVAL_S = 1 / 15
"""The same where decoding leaves no processor free. Its threads wait for each other, so that whoever
handles a message holds all of them up: on 2 cores, 30 messages a second cost 6 % of the speed."""


class Emitter:
    """Sends `Delta`s: the first text at once, then at most one per interval and channel.

    The `tokens` of all deltas add up to the tokens given, whether or not their text was held back.

    Attributes:
        answering_since: When the answer's first text came; None before.
        thought: Whether there was any thinking.
    """

    def __init__(self, send: Callable[[Event], None], interval_s: float = INTERVAL_S) -> None:
        self.answering_since: float | None = None
        self.thought = False
        self._send = send
        self._interval_s = interval_s
        self._texts: list[str] = []
        self._channel = Channel.ANSWER
        self._tokens = 0
        self._due = 0.0

    def token(self, parts: list[Part], now: float) -> None:
        """Take what one token added to the text, at time `now`."""
        self._tokens += 1
        for part in parts:
            self._add(part, now)
        if now >= self._due and self._texts:
            self.flush(now)

    def finish(self, parts: list[Part]) -> None:
        """Send everything that is left."""
        now = perf_counter()
        for part in parts:
            self._add(part, now)
        self.flush(now)

    def flush(self, now: float) -> None:
        """Send what was gathered, if anything."""
        if self._texts or self._tokens:
            self._send(Delta(text="".join(self._texts), tokens=self._tokens, channel=self._channel))
        self._texts.clear()
        self._tokens = 0
        self._due = now + self._interval_s

    def _add(self, part: Part, now: float) -> None:
        channel, text = part
        if channel is not self._channel and self._texts:
            self.flush(now)
        if channel is Channel.THINKING:
            self.thought = True
        elif self.answering_since is None:
            self.answering_since = now
        self._channel = channel
        self._texts.append(text)
