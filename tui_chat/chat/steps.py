"""What was done to a tree: noted as differences, undone, and done again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tui_chat.chat.model import Act, Marks, Message, Session, Shape, Step
from tui_chat.chat.tree import ChatTree

KEPT = 200
"""Steps that can be undone."""

_NOTHING = Shape()


def note(tree: ChatTree, before: Session, act: Act) -> None:
    """Remember how `tree` came from what it was `before`; what had been undone cannot be done again then.

    Walking about is one step, however many turns it took, and none when it leads back.
    """
    after = tree.session
    step = _difference(before, after, act)
    steps = after.steps
    if act is Act.SHOW and steps and steps[-1].act is Act.SHOW:
        *rest, last = steps
        steps = tuple(rest)
        merged = msgspec.structs.replace(last, after=step.after if step.after != _NOTHING else last.after)
        step = merged if merged.before != merged.after else Step(act)
    if step != Step(act):
        steps = (*steps, step)[-KEPT:]
    if steps != after.steps:
        tree.update(steps=steps, undone=())


def undo(tree: ChatTree, now: datetime) -> Step | None:
    """Take the last step back: what it added is removed, what it changed is as it was. None without one."""
    if not tree.session.steps:
        return None
    *rest, step = tree.session.steps
    _remove(tree, step.added, now)
    for message, (was, _) in step.marks.items():
        _mark(tree, message, was)
    _reshape(tree, step.before)
    tree.update(steps=tuple(rest), undone=(*tree.session.undone, step))
    return step


def redo(tree: ChatTree) -> Step | None:
    """Do again what was undone last. None if nothing was."""
    if not tree.session.undone:
        return None
    *rest, step = tree.session.undone
    _remove(tree, step.added, None)
    for message, (_, became) in step.marks.items():
        _mark(tree, message, became)
    _reshape(tree, step.after)
    tree.update(steps=(*tree.session.steps, step), undone=tuple(rest))
    return step


def marks_of(message: Message) -> Marks:
    """What can be changed of `message`, as it is."""
    return Marks(
        name=message.name,
        pinned=message.pinned,
        removed=message.removed,
        restored=message.cut is not None and message.cut.restored,
        text="" if message.said else message.text,
    )


def _difference(before: Session, after: Session, act: Act) -> Step:
    old = {message.id: message for message in before.messages}
    added, marks = [], {}
    for message in after.messages:
        was = old.get(message.id)
        if was is None:
            added.append(message.id)
        elif was is not message and marks_of(was) != marks_of(message):
            marks[message.id] = (marks_of(was), marks_of(message))
    changed = [field for field in Shape.__struct_fields__ if getattr(before, field) != getattr(after, field)]
    return Step(
        act,
        added=tuple(added),
        before=Shape(**{field: getattr(before, field) for field in changed}),
        after=Shape(**{field: getattr(after, field) for field in changed}),
        marks=marks,
    )


def _remove(tree: ChatTree, ids: tuple[str, ...], when: datetime | None) -> None:
    for each in ids:
        if each in tree:
            tree.replace(msgspec.structs.replace(tree.get(each), removed=when))


def _mark(tree: ChatTree, id: str, marks: Marks) -> None:
    if id not in tree:
        return
    message = tree.get(id)
    fields: dict[str, Any] = {"name": marks.name, "pinned": marks.pinned, "removed": marks.removed}
    if not message.said:
        fields["text"] = marks.text
    if message.cut is not None:
        fields["cut"] = msgspec.structs.replace(message.cut, restored=marks.restored)
    tree.replace(msgspec.structs.replace(message, **fields))


def _reshape(tree: ChatTree, shape: Shape) -> None:
    fields: dict[str, Any] = msgspec.structs.asdict(shape)
    changed = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
    if changed.get("leaf") is not None and changed["leaf"] not in tree:  # it was purged
        del changed["leaf"]
    tree.update(**changed)
    tree.mend_leaf()
