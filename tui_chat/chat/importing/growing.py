"""Builds a session of messages that come from elsewhere: fresh ids, times that do not run backwards."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec

from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session, Setup
from tui_chat.chat.title import LIMIT, title_for

UNKNOWN = "unknown"
"""The model of answers of which nobody knows who gave them."""
_STEP = timedelta(milliseconds=1)


class Growing:
    """A session that grows message by message, parents first."""

    def __init__(self, now: datetime, title: str = "", created: datetime | None = None) -> None:
        self._now = now
        self._title = title
        self._created = created or now
        self._system = ""
        self._model: str | None = None
        self._messages: dict[str, Message] = {}
        self.last: str | None = None

    def add(
        self,
        role: Role,
        text: str,
        parent: str | None,
        when: datetime | None = None,
        *,
        model: str | None = None,
        thinking: str = "",
    ) -> str:
        """Add a message below `parent`, which is an id that this returned; return its id."""
        before = self._messages[parent].created if parent else self._created - _STEP
        created = max(when or before + _STEP, before + _STEP)
        answer = None
        if role is Role.ASSISTANT:
            self._model = model or self._model
            answer = Answer(model or UNKNOWN, finish=FinishReason.STOP)
        setup = Setup(system=text) if role is Role.SYSTEM else None
        message = Message(
            new_id(created),
            role,
            "" if setup else text,
            created,
            parent,
            thinking=thinking,
            answer=answer,
            setup=setup,
        )
        self._messages[message.id] = message
        self.last = message.id
        return message.id

    def tell(self, system: str) -> None:
        """Make `system` what the model is told from the beginning on, after what it is told already."""
        self._system = "\n\n".join(part for part in (self._system, system) if part.strip())

    def session(self, leaf: str | None = None) -> Session:
        """Return the session; it ends at `leaf`, or at the last message."""
        messages = sorted(self._messages.values(), key=lambda message: message.created)
        first = next((m.text for m in messages if m.role is Role.USER and m.text.strip()), "")
        updated = max((message.created for message in messages), default=self._created)
        return Session(
            id=new_id(self._now),
            title=title_line(self._title) or title_for(first),
            titled_by_user=bool(self._title.strip()),
            created=min(self._created, updated),
            updated=updated,
            model=self._model,
            system=self._system,
            leaf=leaf or self.last,
            messages=tuple(messages),
        )


def title_line(title: str) -> str:
    """Return `title` on one line, cut if it is very long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    return line if len(line) <= 4 * LIMIT else f"{line[: 4 * LIMIT - 1]}…"


def moment(seconds: float | None) -> datetime | None:
    """Return the time that is so many seconds after 1970; None if that is none, or absurd."""
    if seconds is None or not math.isfinite(seconds) or not 0 < seconds < 1 << 33:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def renamed(session: Session, now: datetime) -> Session:
    """Return a session of ours as a new one: fresh ids, no undo, no answer that is still being written.

    Raises:
        KeyError: A message's parent is not in it.
    """
    names: dict[str | None, str | None] = {None: None}
    names |= {message.id: new_id(message.created) for message in session.messages}
    return msgspec.structs.replace(
        session,
        id=new_id(now),
        origin=None,
        leaf=names.get(session.leaf),
        queued=(),
        steps=(),
        undone=(),
        messages=tuple(_renamed(message, names) for message in session.messages),
    )


def _renamed(message: Message, names: dict[str | None, str | None]) -> Message:
    answer, cut = message.answer, message.cut
    if answer is not None:
        answer = msgspec.structs.replace(
            answer,
            finish=answer.finish or FinishReason.CANCELLED,
            continues=names.get(answer.continues),
        )
    if cut is not None:
        cut = msgspec.structs.replace(cut, first=names.get(cut.first))
    name = names[message.id]
    assert name is not None, "only what is above the first message has no name"
    return msgspec.structs.replace(message, id=name, parent=names[message.parent], answer=answer, cut=cut)
