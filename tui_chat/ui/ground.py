"""The terminal's ground: asked for after the first paint, and taken out of the keys when the answer comes."""

from __future__ import annotations

import re
from time import monotonic

from textual.message import Message

ASK = "\x1b]11;?\x1b\\"
WAIT_S = 2.0
"""For how long an answer is expected; one that is later has to be taken for what it looks like."""

_ANSWER = re.compile(
    r"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})[^\x07\x1b]*(?:\x07|\x1b\\)"
)
_BEGUN = re.compile(r"\x1b\]11;[^\x07\x1b]{0,40}\x1b?$")
_MIDDLE = 0.5


class GroundTold(Message):
    """The terminal has answered: its ground is `light`, or dark."""

    def __init__(self, light: bool) -> None:
        super().__init__()
        self.light = light


class Listener:
    """Passes on what a terminal sends, but for its answer to `ASK`."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._held = ""
        self.told: bool | None = None

    def feed(self, text: str) -> str:
        """Return what of `text` are keys; `told` is then whether the ground is light, once that is known."""
        if self._until is None:
            self._until = monotonic() + WAIT_S
        if self.told is not None or (monotonic() > self._until and not self._held):
            return text
        text, self._held = self._held + text, ""
        if found := _ANSWER.search(text):
            self.told = _lightness(found.groups()) > _MIDDLE
            return text[: found.start()] + text[found.end() :]
        if (begun := _BEGUN.search(text)) and monotonic() <= self._until:
            self._held = text[begun.start() :]
            return text[: begun.start()]
        return text

    def give_up(self) -> str:
        """Return what was held back of an answer that never ended; nothing while it may still end."""
        late = self._until is not None and monotonic() > self._until
        held, self._held = (self._held, "") if late else ("", self._held)
        return held


def _lightness(parts: tuple[str, ...]) -> float:
    red, green, blue = (int(part, 16) / int("f" * len(part), 16) for part in parts)
    return 0.299 * red + 0.587 * green + 0.114 * blue
