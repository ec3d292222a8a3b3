"""Sentences that name commands by their ids, as they are shown: with the keys that these have now.

``{answer.retry} sends it`` is ``F9 sends it``, and the hint ``{answer.retry:try again}`` is ``F9 try again``.
Where the command has no key, both say how else to find it: ``ctrl+p “Try the failed answer again”``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.content import Content

    from tui_chat.ui.keymap import Keymap

REFERENCE = re.compile(r"\{([a-z]+(?:[._][a-z]+)*)(?::([^{}]*))?\}")
"""A command's id, and what its key does if that makes a hint."""
_MORE = re.compile(r", (?:and|or) |[:;(…]")
"""What begins the second thing that a title says."""
_PALETTE = "palette"


def with_keys(text: str, keymap: Keymap) -> str:
    """Write a sentence of ours. What others have written belongs beside it: braces may stand in that."""
    return "".join(piece for piece, _ in _pieces(text, keymap))


def styled_keys(text: str, keymap: Keymap, style: str = "$accent") -> Content:
    """Write a sentence of ours, with its keys in a style."""
    from textual.content import Content  # `--plain` writes words without it

    return Content.assemble(*((piece, style) if key else piece for piece, key in _pieces(text, keymap)))


def _pieces(text: str, keymap: Keymap) -> Iterator[tuple[str, bool]]:
    """The parts of a sentence, each with whether it is a key."""
    end = 0
    for found in REFERENCE.finditer(text):
        yield text[end : found.start()], False
        end, (name, does) = found.end(), found.groups()
        if key := keymap.key(name):
            yield key, True
            yield f" {does}" if does else "", False
        else:
            yield from _unkeyed(name, keymap)
    yield text[end:], False


def _unkeyed(name: str, keymap: Keymap) -> Iterator[tuple[str, bool]]:
    """How to find a command that no key leads to."""
    title = _MORE.split(keymap.title(name), maxsplit=1)[0].strip()
    palette = keymap.key(_PALETTE)
    yield palette, True
    yield f" “{title}”" if palette else f"“{title}” in the list of commands", False
