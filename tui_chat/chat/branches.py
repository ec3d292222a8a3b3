"""Branches as people see them: where one begins, what it is called, and a copy of one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tui_chat.chat.acts import ActError
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Message, Origin, Role, Session
from tui_chat.chat.tree import ChatTree


def branch_start(tree: ChatTree, id: str) -> Message:
    """Return where the branch of a message begins: below the last fork above it, or at the root."""
    message = tree.get(id)
    while message.parent is not None and len(tree.siblings(message.id)) < 2:
        message = tree.get(message.parent)
    return message


def name_of(tree: ChatTree, id: str) -> str:
    """The name of the branch on which a message is; the nearest above it that has one, else none."""
    at: str | None = id
    while at is not None:
        message = tree.get(at)
        if message.name:
            return message.name
        at = message.parent
    return ""


def question_of(tree: ChatTree, message: Message) -> Message:
    """Return the question that a message is, or answers.

    Raises:
        ActError: It answers nothing.
    """
    at: Message | None = message
    while at is not None and at.role is not Role.USER:
        at = tree.get(at.parent) if at.parent is not None else None
    if at is None:
        raise ActError(f"message {message.id} answers nothing")
    return at


def forked(session: Session, leaf: str | None, now: datetime) -> Session:
    """Copy what leads to `leaf`, or the whole tree if that is None, into a session of its own.

    Answers that are still being written are left out, and all that was removed. The copy keeps the title
    and knows where it comes from: lists show forks with what they were forked from.
    """
    tree = ChatTree(session)
    kept = session.messages if leaf is None else tree.path(leaf)
    kept = tuple(m for m in kept if not m.in_flight and not tree.is_removed(m.id))
    there = {message.id for message in kept}
    end = leaf or session.leaf
    while end is not None and end not in there:
        end = tree.get(end).parent
    return msgspec.structs.replace(
        session,
        id=new_id(now),
        created=now,
        updated=now,
        origin=Origin(session.id, end) if end is not None else None,
        archived=False,
        leaf=end,
        queued=(),
        steps=(),
        undone=(),
        messages=kept,
    )
