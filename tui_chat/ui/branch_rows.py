"""The rows of the branch map: the tree with its guides, long stretches without forks folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.chat.model import Message
from tui_chat.chat.tree import ChatTree

SHORT = 6
"""Messages of a stretch without forks that are all shown; of longer ones the ends are."""

_ENDS = 2
"""Messages that are shown at each end of a folded stretch."""

_FORK, _LAST, _PAST, _NONE = "├─ ", "└─ ", "│  ", "   "


@dataclass(frozen=True, slots=True)
class BranchRow:
    """One line of the map.

    Attributes:
        id: The message's; of a fold, that of its first message.
        guides: What is drawn before it.
        message: What it shows; None for a fold.
        folded: Messages that a fold stands for.
    """

    id: str
    guides: str
    message: Message | None
    folded: int = 0


def branch_rows(tree: ChatTree, unfolded: frozenset[str] = frozenset()) -> list[BranchRow]:
    """Lay the tree out: a stretch without forks stays in its column, what forks goes one further in.

    Args:
        tree: The tree; what was removed is not in it.
        unfolded: First messages of stretches that are shown whole.
    """
    rows: list[BranchRow] = []
    waiting = _beside(tree.children(None), "")
    while waiting:
        message, first, rest = waiting.pop()
        stretch, below = _stretch(tree, message)
        rows += _drawn(stretch, first, rest, whole=message.id in unfolded)
        waiting += _beside(below, rest)
    return rows


def _beside(messages: Sequence[Message], guides: str) -> list[tuple[Message, str, str]]:
    """Siblings, last first, each with what is drawn before its first line and before those below."""
    if len(messages) == 1:
        return [(messages[0], guides, guides)]
    last = len(messages) - 1
    placed = [
        (message, guides + (_LAST if index == last else _FORK), guides + (_NONE if index == last else _PAST))
        for index, message in enumerate(messages)
    ]
    return placed[::-1]


def _stretch(tree: ChatTree, message: Message) -> tuple[list[Message], tuple[Message, ...]]:
    """The messages from `message` down to where it forks or ends, and what follows there."""
    stretch = [message]
    while len(below := tree.children(stretch[-1].id)) == 1:
        stretch += below
    return stretch, below


def _drawn(stretch: list[Message], first: str, rest: str, *, whole: bool) -> list[BranchRow]:
    rows = [BranchRow(m.id, first if index == 0 else rest, m) for index, m in enumerate(stretch)]
    middle = stretch[_ENDS:-_ENDS]
    if whole or len(stretch) <= SHORT or any(m.name or m.cut or m.setup for m in middle):
        return rows
    fold = BranchRow(stretch[0].id, rest, None, folded=len(middle))
    return [*rows[:_ENDS], fold, *rows[-_ENDS:]]
