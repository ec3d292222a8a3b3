"""A conversation as a session file of ours, which can be imported again."""

from __future__ import annotations

import msgspec

from tui_chat.chat.export.outline import outline
from tui_chat.chat.living import living
from tui_chat.chat.model import Session
from tui_chat.chat.pack import pack


def to_json(session: Session, leaf: str | None = None, *, whole: bool = False) -> str:
    """Return the branch that ends at `leaf` (the active one if None), or every branch, as a session file.

    What can be undone is left out: it tells of messages that were removed.

    Raises:
        KeyError: There is no message `leaf`.
    """
    if whole:
        messages = living(session.messages)
        kept = {message.id for message in messages}
        end = session.leaf if session.leaf in kept else None
    else:
        messages = tuple(entry.message for entry in outline(session, leaf))
        end = None
    end = end or (messages[-1].id if messages else None)
    exported = msgspec.structs.replace(session, messages=messages, leaf=end, queued=(), steps=(), undone=())
    packed = msgspec.json.format(pack(exported), indent=1)
    return packed.decode() + "\n"
