"""What the host and its worker say to each other, and how it is framed on their socket.

A frame is a 4-byte big-endian length and that many bytes of msgpack.
"""

from __future__ import annotations

import msgspec

from tui_chat.backends.protocol import Description
from tui_chat.chat.model import Problem, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Event
from tui_chat.wire.plan import LoadOptions

LENGTH_BYTES = 4
MAX_FRAME = 64 << 20
"""Bytes; far above any prompt, and low enough that a broken length cannot eat the memory."""


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Load the file at `path`; always the first order, and the only one of its kind."""

    path: str
    options: LoadOptions
    threads: int | None
    fingerprint: str


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Answer `turns`. `number` names the generation, its events and its abort flag."""

    number: int
    turns: tuple[Turn, ...]
    sampling: Sampling


class Tokenize(msgspec.Struct, frozen=True, tag="tokenize"):
    """Count the tokens of `text`; answered at once, even while an answer is generated."""

    number: int
    text: str


Order = Load | Generate | Tokenize


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How much of the model is loaded, 0..1."""

    fraction: float


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The model is ready. The host knows better than the worker how long it took."""

    description: Description


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The model cannot be loaded."""

    problem: Problem


class Happened(msgspec.Struct, frozen=True, tag="happened"):
    """`event` happened to generation `number`."""

    number: int
    event: Event


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The reply to a `Tokenize` of the same number."""

    number: int
    tokens: int


Report = Progress | Loaded | Refused | Happened | Counted

_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def decode_order(body: bytes) -> Order:
    """Decode the body of a frame to the worker."""
    return _orders.decode(body)


def decode_report(body: bytes) -> Report:
    """Decode the body of a frame from the worker."""
    return _reports.decode(body)


def frame(message: Order | Report) -> bytes:
    """Encode one message with its length in front."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def body_length(prefix: bytes) -> int:
    """Read the length of the frame that starts with `prefix`. Raises `ValueError` above `MAX_FRAME`."""
    length = int.from_bytes(prefix, "big")
    if length > MAX_FRAME:
        raise ValueError(f"a frame of {length} bytes is not one of ours")
    return length
