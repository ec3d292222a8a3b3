"""Drops for good what was removed from a session long ago."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tui_chat.chat.living import with_all_below
from tui_chat.chat.model import Message, Session, Step


def purged(session: Session, before: datetime) -> Session:
    """Return `session` without the messages that were removed before that moment, and all below them.

    A branch on which an answer is still being written stays. Steps that tell of a dropped message can be
    neither undone nor done again, nor can those that would have to be reached through them: they go too.
    """
    messages = session.messages
    old = [m.id for m in messages if m.removed is not None and m.removed < before]
    if not old:
        return session
    parents = {m.id: m.parent for m in messages}
    busy: set[str | None] = set()
    for message in messages:
        at = message.id if message.in_flight else None
        while at is not None and at not in busy:
            busy.add(at)
            at = parents[at]
    dropped = with_all_below(messages, (root for root in old if root not in busy))
    leaf = session.leaf
    while leaf in dropped:
        leaf = parents[leaf]
    return msgspec.structs.replace(
        session,
        messages=tuple(_without_link(m, dropped) for m in messages if m.id not in dropped),
        leaf=leaf,
        steps=_after_the_last(session.steps, dropped),
        undone=_after_the_last(session.undone, dropped),
    )


def _without_link(message: Message, dropped: set[str]) -> Message:
    """Forget which answer this one goes on with, if that is gone: its text is the beginning of this one."""
    answer = message.answer
    if answer is None or answer.continues not in dropped:
        return message
    return msgspec.structs.replace(message, answer=msgspec.structs.replace(answer, continues=None))


def _after_the_last(steps: tuple[Step, ...], dropped: set[str]) -> tuple[Step, ...]:
    """Both lists are left from their ends: what stands before a step that is gone cannot be reached."""
    last = max((index for index, step in enumerate(steps) if _names(step) & dropped), default=-1)
    return steps[last + 1 :]


def _names(step: Step) -> set[str]:
    leaves = {shape.leaf for shape in (step.before, step.after) if isinstance(shape.leaf, str)}
    return {*step.added, *step.marks, *leaves}
