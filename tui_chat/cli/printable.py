"""Text of a model on its way to a terminal: it must not steer it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Take control characters out of `text`, but for line feeds and tabs."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not "\x7f" <= c <= "\x9f"))
