"""Which messages of a session still count: all but those that were removed, and what stands below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from tui_chat.chat.model import Message


class Node(Protocol):
    """What of a message tells whether it counts."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def parent(self) -> str | None:
        """The message before it."""

    @property
    def removed(self) -> datetime | None:
        """When it was removed, if it was."""


def living(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages that neither were removed nor stand below one that was. Linear in their number."""
    gone = removed_ids(messages)
    return tuple(message for message in messages if message.id not in gone) if gone else messages


def removed_ids(messages: Sequence[Node]) -> set[str]:
    """Return the ids of the messages that were removed, with all below them."""
    return with_all_below(messages, (message.id for message in messages if message.removed is not None))


def with_all_below(messages: Iterable[Node], roots: Iterable[str]) -> set[str]:
    """Return the ids `roots` and those of every message below one of them."""
    waiting = list(roots)
    if not waiting:
        return set()
    children: dict[str | None, list[str]] = {}
    for message in messages:
        children.setdefault(message.parent, []).append(message.id)
    found: set[str] = set()
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting.extend(children.get(at, ()))
    return found
