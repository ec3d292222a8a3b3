"""From the bytes of tokens to finished pieces of thinking and answer."""

from __future__ import annotations

from codecs import utf_8_decode
from collections.abc import Iterable

from tui_chat.backends.llamacpp.worker.streams import StopMatcher
from tui_chat.backends.llamacpp.worker.thinking import Part, Splitter
from tui_chat.wire.events import Channel


class Voice:
    """Decodes one generation's bytes, splits its channels and watches the answer for stop strings."""

    def __init__(self, splitter: Splitter, stops: Iterable[str]) -> None:
        self._rest = b""
        self._splitter = splitter
        self._stops = StopMatcher(stops)

    @property
    def stopped(self) -> bool:
        """Whether the answer has reached a stop string."""
        return self._stops.hit

    def feed(self, piece: bytes) -> list[Part]:
        """Take one token's bytes; return the text that is now certain."""
        raw = self._rest + piece
        text, used = utf_8_decode(raw, "replace")  # stops before a character that is not whole yet
        self._rest = raw[used:]
        if self._splitter.settled and self._stops.idle:
            return [(Channel.ANSWER, text)] if text else []
        return self._watch(self._splitter.feed(text))

    def finish(self) -> list[Part]:
        """Return what was held back. Bytes of a character that was never completed are dropped."""
        parts = self._watch(self._splitter.finish())
        if held := self._stops.finish():
            parts.append((Channel.ANSWER, held))
        return parts

    def _watch(self, parts: list[Part]) -> list[Part]:
        return [
            (channel, shown)
            for channel, text in parts
            if (shown := self._stops.feed(text) if channel is Channel.ANSWER else text)
        ]
