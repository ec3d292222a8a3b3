"""Text that arrives in pieces: what can be said of it before the rest is there."""

from __future__ import annotations

from collections.abc import Iterable


def overlap(text: str, targets: Iterable[str]) -> int:
    """Length of the longest end of `text` that is a beginning, but not the whole, of a target."""
    longest = 0
    for target in targets:
        for size in range(min(len(target) - 1, len(text)), longest, -1):
            if text.endswith(target[:size]):
                longest = size
                break
    return longest


class StopMatcher:
    """Lets text through up to the first stop string, holding back what may be the start of one."""

    def __init__(self, stops: Iterable[str]) -> None:
        self.hit = False
        self._stops = tuple(stop for stop in stops if stop)
        self.idle = not self._stops
        self._held = ""

    def feed(self, text: str) -> str:
        """Take more text; return what can no longer belong to a stop string."""
        if self.hit:
            return ""
        if not self._stops:
            return text
        text = self._held + text
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.hit, self._held = True, ""
            return text[: min(ends)]
        cut = len(text) - overlap(text, self._stops)
        self._held = text[cut:]
        return text[:cut]

    def finish(self) -> str:
        """Return what was held back, now that no more text comes."""
        held, self._held = self._held, ""
        return held
