"""Text on its way to a terminal, which it must not steer, and words of the command line."""

from __future__ import annotations

import re

_BYTES = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """Mark what was no UTF-8 in a word of the command line; Python keeps such bytes as half characters."""
    return _BYTES.sub("\N{REPLACEMENT CHARACTER}", text)


def printable(text: str) -> str:
    """Take control characters out of `text`, but for line feeds and tabs."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not "\x7f" <= c <= "\x9f"))
