"""Where some words are in one conversation: on the branch in view, and on its other branches."""

from __future__ import annotations

import re
from typing import NamedTuple

from tui_chat.chat.living import living
from tui_chat.chat.model import Message
from tui_chat.chat.tree import ChatTree


class Spot(NamedTuple):
    """A place where the words are: the message, and how many times they stand in it before."""

    message: str
    number: int


class Found(NamedTuple):
    """Where the words are.

    Attributes:
        here: Every place on the branch in view, in the order of reading.
        elsewhere: Messages of other branches in which they are, the oldest first.
    """

    here: tuple[Spot, ...] = ()
    elsewhere: tuple[str, ...] = ()


def sought(text: str) -> re.Pattern[str] | None:
    """Return what finds `text` in any case, with a line's end for a space; None if it is blank."""
    parts = text.split()
    return re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE) if parts else None


def find(tree: ChatTree, pattern: re.Pattern[str]) -> Found:
    """Look for `pattern` in what was said, and in summaries; what was removed is not looked at."""
    path = tree.path()
    here = [
        Spot(message.id, number)
        for message in path
        if _is_read(message)
        for number in range(len(pattern.findall(message.text)))
    ]
    on_path = {message.id for message in path}
    others = [m for m in living(tree.session.messages) if m.id not in on_path and _is_read(m)]
    return Found(tuple(here), tuple(m.id for m in others if pattern.search(m.text)))


def _is_read(message: Message) -> bool:
    """Whether people see the text of a message in the conversation."""
    return message.said or (message.cut is not None and not message.cut.restored)
