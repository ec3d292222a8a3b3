"""Between a session and the bytes of its file: strict when reading, checked when writing."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tui_chat.chat.model import SCHEMA, Message, Session
from tui_chat.chat.pack import pack
from tui_chat.chat.tree import TreeError, check_tree
from tui_chat.store.files import is_name
from tui_chat.store.upgrades import UPGRADERS, NoUpgradeError, Upgrader, lift

_NO_MESSAGES = b'"messages": []\n}'
_FIRST, _NEXT, _LAST = b'"messages": [\n  ', b",\n  ", b"\n ]\n}\n"

_AT_ONCE = 256
"""Messages that are joined and written at once."""
_KEPT_BYTES = 32 << 20
"""Encoded messages that are kept for the next save of a session: those of the first 32 MiB of its file."""


class DamagedError(ValueError):
    """The bytes are no session: torn, foreign, or contradicting themselves."""


class TooNewError(ValueError):
    """The file was written by a later release, and is none of our business."""


class _Peek(msgspec.Struct):
    schema: int


def decode(data: bytes, id: str, upgraders: Sequence[Upgrader] = UPGRADERS) -> Session:
    """Read the session in `data`; the file's name decides on its `id`.

    Raises:
        DamagedError: It is no session.
        TooNewError: Its schema is newer than `SCHEMA`.
    """
    try:
        session = msgspec.json.decode(data, type=Session)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        session = _decode_other(data, upgraders, error)
    if session.schema != SCHEMA:
        session = _decode_other(data, upgraders, None)
    return normalise(session, id)


def _decode_other(data: bytes, upgraders: Sequence[Upgrader], first_error: Exception | None) -> Session:
    """Read a file that is not of today's schema, or say why `first_error` is final."""
    try:
        schema = msgspec.json.decode(data, type=_Peek).schema
        if schema > SCHEMA:
            raise TooNewError(f"schema {schema} is newer than {SCHEMA}")
        if schema == SCHEMA:
            raise DamagedError(str(first_error))
        return msgspec.convert(lift(msgspec.json.decode(data, type=dict[str, Any]), upgraders), Session)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NoUpgradeError) as error:
        raise DamagedError(str(first_error or error)) from error
    except (KeyError, TypeError, AttributeError) as error:  # an upgrader met a shape it cannot know
        raise DamagedError(f"cannot be upgraded: {error!r}") from error


def normalise(session: Session, id: str) -> Session:
    """Return `session` under the name of its file, with zones on its times and a leaf that exists.

    Raises:
        DamagedError: Its messages are no tree, or an id could not be part of a file name.
    """
    messages = session.messages
    try:
        check_tree(messages)
    except TreeError as error:
        raise DamagedError(str(error)) from error
    ids = {message.id for message in messages}
    for id_ in (*ids, *(message.id for message in session.queued)):
        if not is_name(id_):
            raise DamagedError(f"message id {id_!r} is not allowed")
    leaf = session.leaf
    if leaf is not None and leaf not in ids:
        leaf = messages[-1].id if messages else None
    return msgspec.structs.replace(
        session,
        id=id,
        created=_zoned(session.created),
        updated=_zoned(session.updated),
        messages=_zoned_messages(messages),
        queued=_zoned_messages(tuple(message for message in session.queued if message.id not in ids)),
        leaf=leaf,
    )


def encode(session: Session) -> bytes:
    """Return the file's bytes, readable and proven to be readable back.

    Raises:
        DamagedError: They would not be: a number is not finite, or the messages are no tree.
    """
    return b"".join(Encoder().encode(session))


class Encoder:
    """Encodes one session again and again, at the price of what is new in it.

    Messages never change, so the bytes of one that was encoded before are its bytes now. They are worked on
    one at a time, and joined a few at a time: a call for thousands would keep other threads waiting for its
    end, and fresh memory for all of them costs more than writing them.
    """

    def __init__(self) -> None:
        self._messages: tuple[Message, ...] = ()
        self._pieces: list[bytes] = []

    def encode(self, session: Session) -> Iterator[bytes]:
        """Return the parts of the file, in order; together they are readable, and proven to be.

        Raises:
            DamagedError: They would not be: a number is not finite, or the messages are no tree.
        """
        packed = pack(msgspec.structs.replace(session, messages=()))
        decode(packed, session.id)
        pieces = self._encoded(session.messages)
        try:
            check_tree(session.messages)
        except TreeError as error:
            raise DamagedError(str(error)) from error
        return _parts(msgspec.json.format(packed, indent=1), pieces)

    def _encoded(self, messages: tuple[Message, ...]) -> list[bytes]:
        """Return the bytes of each message; known are those that stand where they did in the last version."""
        same = list(map(operator.is_, messages, self._messages))
        pieces = [
            piece if known else _piece(message)
            for known, message, piece in zip(same, messages, self._pieces, strict=False)
        ]
        pieces += map(_piece, messages[len(pieces) :])
        ends = itertools.accumulate(map(len, pieces))
        kept = sum(1 for _ in itertools.takewhile(_KEPT_BYTES.__ge__, ends))
        self._messages, self._pieces = messages[:kept], pieces[:kept]
        return pieces


def _parts(head: bytes, pieces: list[bytes]) -> Iterator[bytes]:
    if not pieces:
        yield head + b"\n"
        return
    assert head.endswith(_NO_MESSAGES), "messages are the last field"
    between = head.removesuffix(_NO_MESSAGES) + _FIRST
    for start in range(0, len(pieces), _AT_ONCE):
        yield between + _NEXT.join(pieces[start : start + _AT_ONCE])
        between = _NEXT
    yield _LAST


def _piece(message: Message) -> bytes:
    """Encode one message as it stands in a file, and prove that it can be read back."""
    packed = pack(message)
    try:
        name = msgspec.json.decode(packed, type=Message).id
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedError(str(error)) from error
    if not is_name(name):
        raise DamagedError(f"message id {name!r} is not allowed")
    return msgspec.json.format(packed, indent=1).replace(b"\n", b"\n  ")


def _zoned_messages(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    if all(m.created.tzinfo and (m.removed is None or m.removed.tzinfo) for m in messages):
        return messages
    return tuple(
        msgspec.structs.replace(m, created=_zoned(m.created), removed=m.removed and _zoned(m.removed))
        for m in messages
    )


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
