"""What a person sorts sessions by: short words, each once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST = 40
"""Characters of a tag; the rest is cut."""


def tidy_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return `tags` in their order: on one line each, without ``#`` and commas, in one case only."""
    kept: dict[str, str] = {}
    for tag in (part for given in tags for part in given.split(",")):
        visible = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", tag))
        tidy = " ".join(visible.split()).lstrip("# ")[:LONGEST].rstrip()
        if tidy:
            kept.setdefault(tidy.casefold(), tidy)
    return tuple(kept.values())
