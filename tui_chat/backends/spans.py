"""Which part of a rendered conversation belongs to which turn."""

from __future__ import annotations

from collections.abc import Mapping

from tui_chat.chat.model import Role
from tui_chat.wire.api import Turn


def ends_in(text: str, turns: tuple[Turn, ...], after: Mapping[Role, str]) -> list[int]:
    """Where in the rendered `text` each turn ends, with what the template writes after it, in characters.

    Looked for in order and not by rendering more and more of the conversation: that takes long where it is
    long, and some templates write its last turn otherwise than earlier ones.

    Args:
        text: What came of rendering `turns`.
        turns: What was to be rendered.
        after: What the template writes after a turn of each role.
    """
    ends, at = [], 0
    for turn in turns:
        at = _end(text, turn.text, after.get(turn.role, ""), at)
        ends.append(at)
    return ends


def _end(text: str, said: str, after: str, start: int) -> int:
    """Where `said` and `after` end, from `start` on, or `said` alone where nothing such follows."""
    for written in (said + after, said.strip() + after, said.strip()):
        found = text.find(written, start)
        if found >= 0:
            return found + len(written)
    return start
