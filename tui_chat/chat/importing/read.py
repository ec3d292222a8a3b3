"""From the bytes of a file to the sessions in it, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from tui_chat.chat.importing.chatgpt import from_conversation
from tui_chat.chat.importing.contents import kind
from tui_chat.chat.importing.failure import ImportFailedError, MismatchError, convert, failed
from tui_chat.chat.importing.growing import renamed
from tui_chat.chat.importing.listed import from_list, from_object
from tui_chat.chat.model import SCHEMA, Session
from tui_chat.chat.tree import TreeError, check_tree

LARGEST = 256 << 20
"""Bytes of a file; reading takes several times as much memory."""
MOST_MESSAGES = 100_000
"""Messages of a session."""

Lift = Callable[[dict[str, Any]], dict[str, Any]]
"""Brings a session file of an older release to today's form; raises a `ValueError` if it cannot."""


def read_sessions(data: bytes, name: str, now: datetime, lift: Lift) -> tuple[Session, ...]:
    """Return the sessions in a file: ours, ChatGPT's, or lists of messages; each new, with fresh ids.

    Nothing in the file is run, and no path or link in it is followed.

    Args:
        data: What is in the file.
        name: What the file is called in messages.
        now: The time of the import.
        lift: Brings older files of ours to today's form.

    Raises:
        ImportFailedError: It cannot be read; nothing of it is returned then.
    """
    if len(data) > LARGEST:
        raise failed(
            name, f"it has {len(data) >> 20} MiB, and the limit is {LARGEST >> 20} MiB.", "Split it."
        )
    try:
        raw = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise failed(name, f"it is no JSON ({error}).") from error
    except RecursionError as error:
        raise failed(name, "it is nested too deeply.") from error
    try:
        sessions = _read(raw, now, lift)
    except MismatchError as error:
        raise failed(name, f"at {error.place.lstrip('.') or 'the top'}: {error.expected}.") from error
    except RecursionError as error:
        raise failed(name, "it is nested too deeply.") from error
    for session in sessions:
        if len(session.messages) > MOST_MESSAGES:
            what = (
                f"a conversation has {len(session.messages):,} messages, and the limit is {MOST_MESSAGES:,}."
            )
            raise failed(name, what, "Split it.")
    return sessions


def _read(raw: Any, now: datetime, lift: Lift) -> tuple[Session, ...]:
    if isinstance(raw, dict):
        return (_read_one(raw, now, lift, ""),)
    if not isinstance(raw, list):
        raise MismatchError("the top", f"expected an object or a list, found {kind(raw)}")
    if not raw:
        raise MismatchError("the top", "expected conversations or messages, found an empty list")
    if isinstance(raw[0], dict) and "role" in raw[0]:
        return (from_list(raw, now),)
    return tuple(_read_one(each, now, lift, f"[{index}]") for index, each in enumerate(raw))


def _read_one(raw: Any, now: datetime, lift: Lift, place: str) -> Session:
    if isinstance(raw, list):
        return from_list(raw, now, place)
    if isinstance(raw, dict):
        if "mapping" in raw:
            return from_conversation(raw, now, place)
        if "schema" in raw:
            return _ours(raw, now, lift, place)
        if "messages" in raw:
            return from_object(raw, now, place)
    found = (
        f"an object with {', '.join(list(raw)[:5]) or 'nothing in it'}"
        if isinstance(raw, dict)
        else kind(raw)
    )
    expected = "expected a conversation (an object with schema, mapping or messages, or a list of messages)"
    raise MismatchError(place or "the top", f"{expected}, found {found[:200]}")


def _ours(raw: dict[str, Any], now: datetime, lift: Lift, place: str) -> Session:
    schema = raw["schema"]
    if not isinstance(schema, int) or schema > SCHEMA:
        raise MismatchError(
            f"{place}.schema", f"expected a session of schema {SCHEMA} at most, found {schema!r:.40}"
        )
    try:
        lifted = lift(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MismatchError(
            f"{place}.schema", f"a session of schema {schema} cannot be read: {error}"
        ) from error
    session = convert(lifted, Session, place)
    try:
        check_tree(session.messages)
        return renamed(session, now)
    except TreeError as error:
        raise MismatchError(f"{place}.messages", str(error)) from error


__all__ = ["ImportFailedError", "read_sessions"]
