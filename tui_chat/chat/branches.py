"""Branches as people see them: where one begins, what it is called, and a copy of one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Message, Origin, Session
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


def forked(session: Session, leaf: str, now: datetime) -> Session:
    """Copy what leads to `leaf` into a session of its own, which knows where it comes from.

    Answers that are still being written are left out. The new session keeps the title: lists show forks
    with what they were forked from.
    """
    tree = ChatTree(session)
    branch = [message for message in tree.path(leaf) if not message.in_flight]
    return msgspec.structs.replace(
        session,
        id=new_id(now),
        created=now,
        updated=now,
        origin=Origin(session.id, branch[-1].id) if branch else None,
        archived=False,
        leaf=branch[-1].id if branch else None,
        queued=(),
        steps=(),
        undone=(),
        messages=tuple(branch),
    )
