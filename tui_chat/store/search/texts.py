"""What of a session file can be searched, and searching it without an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui_chat.chat.living import living
from tui_chat.chat.model import Message, Role
from tui_chat.store.codec import DamagedError, TooNewError, decode
from tui_chat.store.files import Stamp, read_regular
from tui_chat.store.search.hits import Hit, snippet
from tui_chat.store.search.query import Query
from tui_chat.store.upgrades import Upgrader


class Text(NamedTuple):
    """One message: what was said, when, and by which model if it is an answer."""

    id: str
    role: Role
    when: datetime
    model: str
    text: str


class Searchable(NamedTuple):
    """A session with all that was said in it and not removed. Of one that cannot be read, nothing."""

    id: str
    stamp: Stamp | None
    readable: bool = False
    title: str = ""
    tags: tuple[str, ...] = ()
    archived: bool = False
    updated: datetime | None = None
    texts: tuple[Text, ...] = ()

    @property
    def begins(self) -> str:
        """A line of how it begins."""
        return snippet(self.texts[0].text, ())[0] if self.texts else ""


def read_searchable(path: Path, upgraders: Sequence[Upgrader]) -> Searchable:
    """Read the session at `path`, as far as it can be read."""
    stamp = None
    try:
        data, stamp = read_regular(path)
        session = decode(data, path.stem, upgraders)
    except (OSError, DamagedError, TooNewError):
        return Searchable(path.stem, stamp)
    texts = tuple(
        Text(message.id, message.role, message.created, message.answer.model if message.answer else "", said)
        for message in living(session.messages)
        if message.said and (said := _said(message)).strip()
    )
    return Searchable(
        path.stem, stamp, True, session.title, session.tags, session.archived, session.updated, texts
    )


def _said(message: Message) -> str:
    """What was said, with the names and texts of what was attached to it."""
    attached = (part for each in message.attachments for part in (each.name, each.text) if part)
    return "\n".join((message.text, *attached)).replace("\0", " ")


def scan(sessions: Iterable[Searchable], query: Query) -> Iterator[Hit]:
    """Yield everything that `query` finds in `sessions`, in no order."""
    for session in sessions:
        if session.readable and query.admits(session.tags, archived=session.archived):
            yield from _scan(session, query)


def _scan(session: Searchable, query: Query) -> Iterator[Hit]:
    assert session.updated is not None, "a session that can be read has a time"
    itself, words = query.sought_in(session.title, session.tags)
    hit = Hit(session=session.id, title=session.title, when=session.updated, archived=session.archived)
    if itself:
        yield msgspec.structs.replace(hit, snippet=session.begins)
    for text in session.texts if words is not None else ():
        if query.admits_model(text.model) and all(word.is_in(text.text) for word in words or ()):
            yield message_hit(hit, text, query)


def message_hit(session: Hit, text: Text, query: Query) -> Hit:
    """Show of a session the message that was found."""
    line, spans = snippet(text.text, query.words)
    return msgspec.structs.replace(
        session, when=text.when, message=text.id, role=text.role, snippet=line, spans=spans
    )
