"""What a search finds, and the few words around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from tui_chat.chat.model import Role
from tui_chat.store.search.query import Word

_LENGTH = 160
"""Characters of a snippet."""
_BEFORE = 40
"""Characters of it that stand before the first match."""
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was found, or a session, if all words are in its title and tags.

    Attributes:
        session, title, archived: The session.
        message: The message's id; None if the session itself is meant.
        when: When the message was written; when the session was last.
        role: Who said it; None for a session.
        snippet: One line of its text, around the first match; how a session begins.
        spans: Where in the snippet the words are: beginnings and ends, in order, apart from each other.
    """

    session: str
    title: str
    when: datetime
    message: str | None = None
    role: Role | None = None
    snippet: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    archived: bool = False


def snippet(text: str, words: Iterable[Word]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a line out of `text` that shows a match, and where in it the `words` are."""
    words = tuple(words)
    found = [match.start() for word in words if (match := word.pattern.search(text))]
    start = _word_start(text, max(0, min(found, default=0) - _BEFORE))
    line = _SPACE.sub(" ", text[start : start + _LENGTH]).strip()
    if start > 0:
        line = f"…{line}"
    if start + _LENGTH < len(text):
        line = f"{line}…"
    return line, _joined(match.span() for word in words for match in word.pattern.finditer(line))


def _word_start(text: str, at: int) -> int:
    """Return where the word after `at` begins, if one does soon."""
    space = _SPACE.search(text, at, at + _BEFORE // 2)
    return space.end() if at and space else at


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
