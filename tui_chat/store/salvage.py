"""Gets the whole messages out of a session file that is torn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tui_chat.chat.model import SCHEMA, Message, Session
from tui_chat.store.codec import DamagedError, normalise
from tui_chat.store.files import is_name

_MESSAGES = re.compile(r'(?<!\\)"messages":\s*\[')


def salvage(data: bytes, id: str) -> Session | None:
    """Return a session of every message in `data` that is whole and has its parents; None if none is.

    It relies on what our own writer does: the session's fields come first, then the messages.
    """
    text = data.decode("utf-8", "replace")
    start = _MESSAGES.search(text)
    if start is None:
        return None
    try:
        fields = json.loads(text[: start.start()].rstrip().removesuffix(",") + "}")
        session = msgspec.convert(fields, Session)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors too
        return None
    messages = _rooted(_messages(text, start.end()))
    if session.schema != SCHEMA or not messages:
        return None
    try:
        return normalise(msgspec.structs.replace(session, messages=messages), id)
    except DamagedError:
        return None


def _messages(text: str, at: int) -> Iterator[Message]:
    """Yield the messages that can be read, in order, up to the tear."""
    decoder = json.JSONDecoder()
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            raw, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        message = _message(raw)
        if message:
            yield message


def _message(raw: Any) -> Message | None:
    try:
        return msgspec.convert(raw, Message)
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter of half a character
        return None


def _rooted(messages: Iterator[Message]) -> tuple[Message, ...]:
    kept: dict[str, Message] = {}
    for message in messages:
        if (
            is_name(message.id)
            and message.id not in kept
            and (message.parent is None or message.parent in kept)
        ):
            kept[message.id] = message
    return tuple(kept.values())
