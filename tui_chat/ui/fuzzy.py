"""Finding things by a few of their letters, in order: "q8b" finds "Qwen3-8B"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_LETTER, _RUN, _START, _GAP = 1, 7, 8, -2
"""What a letter is worth: found at all, right after the one before, at the start of a word, after a gap."""
_NEVER = -(10**6)


def ranked(query: str, things: Iterable[tuple[str, T]]) -> list[T]:
    """Return the things whose text matches every word of `query`, the best match first.

    Equally good ones stay in the order they came in, and an empty query leaves all as they are.
    """
    words = query.casefold().split()
    scored = ((sum_score(words, text), thing) for text, thing in things)
    found = [(score, thing) for score, thing in scored if score is not None]
    return [thing for _, thing in sorted(found, key=lambda pair: -pair[0])]


def has_letters(query: str, text: str) -> bool:
    """Whether `text` has all letters of each word of `query` in their order: far quicker than to rank it."""
    low = text.casefold()
    return all(_in_order(word, low) for word in query.casefold().split())


def _in_order(letters: str, text: str) -> bool:
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    return True


def sum_score(words: list[str], text: str) -> int | None:
    """Say how well all of `words` (in lower case) match `text`, or None if one does not."""
    scores = [_score(word, text) for word in words]
    known = [score for score in scores if score is not None]
    return sum(known) if len(known) == len(scores) else None


def _score(word: str, text: str) -> int | None:
    """The best way to find the letters of `word` in `text`, in order."""
    low = text.casefold()
    starts = _starts(text) if len(low) == len(text) else [False] * len(low)
    row: list[int] = []
    for letter in word:
        row = _next_row(letter, low, starts, row)
    best = max(row, default=_NEVER)
    return best if best > _NEVER else None


def _next_row(letter: str, low: str, starts: list[bool], before: list[int]) -> list[int]:
    """The best score of all letters so far, by where in the text the newest of them, `letter`, lies."""
    row, reach = [], _NEVER
    for at, found in enumerate(low):
        if at > 1 and before:
            reach = max(reach, before[at - 2])
        if found != letter:
            row.append(_NEVER)
            continue
        base = 0
        if before:
            run = before[at - 1] + _RUN if at and before[at - 1] > _NEVER else _NEVER
            base = max(run, reach + _GAP if reach > _NEVER else _NEVER)
        worth = _LETTER + (_START if starts[at] else 0)
        row.append(base + worth if base > _NEVER else _NEVER)
    return row


def _starts(text: str) -> list[bool]:
    """Where words begin: after a separator, where digits begin, where a capital follows a small letter."""
    starts = []
    for at, letter in enumerate(text):
        before = text[at - 1] if at else " "
        starts.append(
            letter.isalnum()
            and (
                not before.isalnum()
                or (letter.isdigit() and not before.isdigit())
                or (letter.isupper() and before.islower())
            )
        )
    return starts
