"""Acts on conversation trees, chosen at random, with answers that come at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from tui_chat.chat.acts import (
    Compare,
    Continue,
    CutHere,
    Doing,
    Edit,
    EditAnswer,
    EditSummary,
    Name,
    Pin,
    Redo,
    Regenerate,
    Remove,
    Restore,
    Rewind,
    Send,
    SetFacts,
    SetPolicy,
    SetUp,
    Show,
    Undo,
)
from tui_chat.chat.model import FinishReason, Message, Role, Setup, Usage
from tui_chat.chat.perform import perform
from tui_chat.chat.policy import Cut, CutReason, Policy, PolicyKind
from tui_chat.chat.tree import ChatTree

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def do(tree: ChatTree, doing: Doing, answer: str = "an answer") -> list[Message]:
    """Do it, and settle the answers it asks for, each going on with what it began with."""
    settled = []
    for place in perform(tree, doing, NOW).answers:
        assert place.answer is not None
        source = msgspec.structs.replace(place.answer, finish=FinishReason.STOP, seed=7, usage=Usage(10, 3))
        tree.replace(msgspec.structs.replace(place, text=place.text + answer, answer=source))
        settled.append(tree.get(place.id))
    return settled


def _exactly(tree: ChatTree, number: int) -> Callable[[str], Doing]:
    def make(id: str) -> Doing:
        answer = tree.get(id).answer
        return Regenerate(id, exactly=number % 3 == 0 and answer is not None and not answer.edited)

    return make


_ANYWHERE: dict[str, Callable[[int, Cut], Doing]] = {
    "send": lambda number, cut: Send(f"say {number}", cut if number % 4 == 0 else None),
    "setup": lambda number, _: SetUp(Setup(f"system {number}"), model="m" if number % 2 else None),
    "policy": lambda number, _: SetPolicy(Policy(kind=list(PolicyKind)[number % 5])),
    "facts": lambda number, _: SetFacts((f"fact {number}",)),
    "cut": lambda number, cut: CutHere(cut, f"told {number}"),
    "undo": lambda *_: Undo(),
    "undo again": lambda *_: Undo(),
    "redo": lambda *_: Redo(),
}
_SOMEWHERE: dict[str, tuple[Role, Callable[[ChatTree, int], Callable[[str], Doing]]]] = {
    "edit": (Role.USER, lambda _, number: lambda each: Edit(each, f"edit {number}")),
    "edit answer": (Role.ASSISTANT, lambda _, number: lambda each: EditAnswer(each, f"edited {number}")),
    "regenerate": (Role.ASSISTANT, _exactly),
    "compare": (Role.USER, lambda *_: lambda each: Compare(each, ("a", "b"))),
    "continue": (Role.ASSISTANT, lambda *_: Continue),
    "show": (Role.USER, lambda *_: Show),
    "rewind": (Role.USER, lambda *_: Rewind),
    "remove": (Role.ASSISTANT, lambda *_: Remove),
    "remove more": (Role.USER, lambda *_: Remove),
    "name": (Role.ASSISTANT, lambda _, number: lambda each: Name(each, f"name {number}")),
    "pin": (Role.USER, lambda *_: Pin),
}
_AT_CUTS: dict[str, Callable[[int], Callable[[str], Doing]]] = {
    "restore": lambda _: Restore,
    "summary": lambda number: lambda each: EditSummary(each, f"summary {number}"),
}
KINDS = (*_ANYWHERE, *_SOMEWHERE, *_AT_CUTS)


def some_act(tree: ChatTree, kind: str, number: int) -> Doing | None:
    """An act of this kind on some message; None if there is none for it."""
    there = [m for m in tree.session.messages if not tree.is_removed(m.id)]
    if kind in _ANYWHERE:
        first = there[number % len(there)].id if there else None
        return _ANYWHERE[kind](number, Cut(first, CutReason.HAND, PolicyKind.SLIDING))
    if kind in _AT_CUTS:
        fitting, make = [m for m in there if m.cut is not None], _AT_CUTS[kind](number)
    else:
        role, maker = _SOMEWHERE[kind]
        fitting, make = [m for m in there if m.role is role], maker(tree, number)
    return make(fitting[number % len(fitting)].id) if fitting else None
