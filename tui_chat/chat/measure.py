"""How many tokens a conversation has: counted where a tokenizer was asked, estimated where none was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tui_chat.chat.compose import Line

_ANSWER = 512
"""Tokens kept for an answer whose length nobody has limited."""
PICTURE_TOKENS = 1_024
"""What a picture is taken for: models spend 256 (Gemma 3) to some 3,000 (Qwen-VL, a screenshot) on one, by
its size, and no server tells before it has read it."""
MOST_PICTURE_TOKENS = 4_096
"""The most that any model spends on one: Qwen-VL's limit."""
_PER_TURN = 8
"""Tokens that a template puts around each turn."""
_BYTES_PER_TOKEN = 3
"""English takes 4 bytes a token, code and most other scripts 3."""
_FEWEST_ASCII = 2
"""Bytes per token of the oddest ASCII text; of a script that a vocabulary lacks, each byte is a token."""

_MOST_HELD = 64 << 20
"""Characters of lines whose tokens are remembered; beyond that all is forgotten and learned anew."""
_TELLING = 200
"""Estimated tokens of a prompt from which on it is known how far estimates are off."""


def about_tokens(texts: Iterable[str]) -> int:
    """Estimate the tokens of turns with these `texts`, on the safe side for what people usually write."""
    return sum(len(text.encode()) // _BYTES_PER_TOKEN + _PER_TURN for text in texts)


def most_tokens(texts: Iterable[str]) -> int:
    """The most tokens that turns with these `texts` are likely to be in any vocabulary."""
    return sum(map(_most, texts))


def _most(text: str) -> int:
    size, plain = len(text.encode()), len(text.encode("ascii", "ignore"))
    return plain // _FEWEST_ASCII + size - plain + _PER_TURN


def kept_for_answer(max_tokens: int | None) -> int:
    """Tokens of the context that are kept for an answer of at most `max_tokens`."""
    return min(max_tokens or _ANSWER, _ANSWER)


class Size(NamedTuple):
    """Tokens of some lines; `exact` if the model's own tokenizer counted all of them."""

    tokens: int
    exact: bool


class Ruler:
    """How many tokens lines are for one model: as its tokenizer counted them, else as its answers taught.

    A line's own tokens are remembered, with what the template puts around it. The first line has a place
    of its own, because templates begin with it; what a template adds for the answer to begin is `closing`.
    Each picture is taken for `PICTURE_TOKENS`, and makes the whole an estimate.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bool, Line], int] = {}
        self._estimates: dict[Line, int] = {}
        self._held = 0
        self._closing: int | None = None
        self._exact = True
        self._ratio = 1.0

    def learn(self, lines: Sequence[Line], tokens: Sequence[int], total: int, *, exact: bool = True) -> None:
        """Take note of what the tokenizer counted; not `exact` where the template may be another."""
        self._exact = exact
        keys = list(_keys(lines))
        self._hold(sum(len(line.text) for first, line in keys if (first, line) not in self._known))
        self._known.update(zip(keys, tokens, strict=True))
        self._closing = total - sum(tokens)

    def calibrate(self, lines: Sequence[Line], evaluated: int) -> None:
        """Take note of how many tokens a backend evaluated for `lines`, for the estimates to come.

        Short prompts teach nothing: they are mostly what the template adds. Nor do those with pictures.
        """
        estimated = sum(map(self._estimate, lines))
        if estimated >= _TELLING and not any(line.pictures for line in lines):
            self._ratio = evaluated / estimated

    def knows(self, lines: Sequence[Line]) -> bool:
        """Whether all of `lines` were counted."""
        return self._closing is not None and all(key in self._known for key in _keys(lines))

    def size(self, lines: Sequence[Line]) -> Size:
        """How many tokens a prompt of `lines` is."""
        tokens = sum(self.each(lines)) + (self._closing or 0)
        seen = any(line.pictures for line in lines)
        return Size(tokens, self._exact and not seen and self.knows(lines))

    def each(self, lines: Sequence[Line]) -> list[int]:
        """How many tokens each of `lines` is."""
        known = ((self._known.get(key), key[1]) for key in _keys(lines))
        read = (self._about(line) if count is None else count for count, line in known)
        return [count + PICTURE_TOKENS * len(line.pictures) for count, line in zip(read, lines, strict=True)]

    def _hold(self, characters: int) -> None:
        """Make room for so many characters more: a long draft is measured at every pause in typing."""
        if self._held + characters > _MOST_HELD:
            self._known.clear()
            self._estimates.clear()
            self._held = 0
        self._held += characters

    def _about(self, line: Line) -> int:
        return round(self._estimate(line) * self._ratio)

    def _estimate(self, line: Line) -> int:
        """Estimate once; a conversation is measured anew whenever something is said in it."""
        estimate = self._estimates.get(line)
        if estimate is None:
            self._hold(len(line.text))
            estimate = self._estimates[line] = about_tokens((line.text + line.thinking,))
        return estimate


def _keys(lines: Sequence[Line]) -> Iterator[tuple[bool, Line]]:
    """Return what is known of lines by: their texts, whatever is shown beside them."""
    bare = (line._replace(pictures=()) if line.pictures else line for line in lines)
    return ((index == 0, line) for index, line in enumerate(bare))
