"""What a person asks for: words, "quoted phrases", and filters such as ``tag:x``. Any text is a question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MOST_WORDS = 16
"""Words that are looked for; of more, the first."""
LONGEST = 10_000
"""Characters of a question that are read."""

_TERM = re.compile(r'(?:(?P<field>tag|model|in):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a phrase of several parts, each a space or the end of a line from the next; in any case."""

    parts: tuple[str, ...]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Word:
        """Make a word of some text that is not blank."""
        parts = tuple(text.split())
        return cls(parts, re.compile(r"\s".join(map(re.escape, parts)), re.IGNORECASE))

    def is_in(self, text: str) -> bool:
        """Tell whether it occurs in `text`, also inside other words."""
        return self.pattern.search(text) is not None


class Sought(NamedTuple):
    """What is looked for in one session.

    Attributes:
        itself: Whether the session is found whatever its messages say.
        words: What a message must have to be found; None if none is.
    """

    itself: bool
    words: tuple[Word, ...] | None


@dataclass(frozen=True, slots=True)
class Query:
    """All of `words` must occur, in a message or in the title and tags of its session; and the filters hold.

    Attributes:
        words: What is looked for.
        tags: The session has all of these, whatever their case.
        models: The message is an answer whose model's id contains all of these.
        archived: Whether only archived sessions are looked at.
    """

    words: tuple[Word, ...] = ()
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    archived: bool = False

    def __bool__(self) -> bool:
        """Whether anything was asked."""
        return bool(self.words or self.tags or self.models or self.archived)

    def admits(self, tags: Iterable[str], *, archived: bool) -> bool:
        """Tell whether the filters let a session with these `tags` through."""
        has = {tag.casefold() for tag in tags}
        return (archived or not self.archived) and all(tag in has for tag in self.tags)

    def sought_in(self, title: str, tags: Iterable[str]) -> Sought:
        """Return what is left to look for in a session with this title and these `tags`."""
        told = (title, *tags)
        beyond = tuple(word for word in self.words if not any(map(word.is_in, told)))
        if beyond or self.models:
            return Sought(False, beyond)
        return Sought(True, self.words or None)

    def admits_model(self, model: str) -> bool:
        """Tell whether an answer by `model` is let through; of what is no answer, `model` is empty."""
        return all(part in model.casefold() for part in self.models)


def parse(text: str) -> Query:
    """Read a question. Never fails: what is no filter is a word, and an open quote ends at the end."""
    words: dict[str, Word] = {}
    filters: dict[str, list[str]] = {"tag": [], "model": [], "in": []}
    for found in _TERM.finditer(_plain(text)):
        field = (found["field"] or "").casefold()
        said = (found["phrase"] if found["phrase"] is not None else found["word"]).strip()
        if field == "in" and said.casefold() != "archived":
            field, said = "", found[0]
        if field:
            filters[field] += [said.casefold()] if said else []
        elif said and len(words) < MOST_WORDS:
            words.setdefault(said.casefold(), Word.of(said))
    return Query(tuple(words.values()), tuple(filters["tag"]), tuple(filters["model"]), bool(filters["in"]))


def _plain(text: str) -> str:
    """Compose accents, as keyboards do; drop control characters and halves of surrogate pairs."""
    text = unicodedata.normalize("NFC", text[:LONGEST])
    return "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
