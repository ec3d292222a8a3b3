"""What the host and its worker say to each other, and how it is framed on their socket.

A frame is a 4-byte big-endian length and that many bytes of msgpack.
"""

from __future__ import annotations

import msgspec

from tui_chat.backends.protocol import NEW, Begun, Branch, Description, Fit, Held
from tui_chat.chat.model import Problem, Sampling
from tui_chat.memory.parkfile import ParkHeader, ParkLabel
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.events import Event
from tui_chat.wire.plan import LoadOptions

LENGTH_BYTES = 4
MAX_FRAME = 1 << 30
"""Bytes; far above any prompt, and low enough that a broken length cannot eat the memory."""
MOST_SHOWN = 512 << 20
"""Bytes of all pictures in one conversation."""


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Load the file at `path`; always the first order, and the only one of its kind.

    `backend` is what the library calls itself. The host knows already, and to ask takes the worker longer
    than to load the library. `projector` is the file that lets the model see; empty if it is not to.
    """

    path: str
    options: LoadOptions
    threads: int | None
    fingerprint: str
    weights: str
    checkpoint_bytes: int
    backend: str
    checkpoint_floor: int
    projector: str = ""


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Answer `turns`, or go on with the answer that had `begun`.

    `number` names the generation, its events and its abort flag.

    Attributes:
        id: The answer's; what the cache holds of it is known by that.
        shift: Whether turns that follow dropped ones may be moved up in the cache.
    """

    number: int
    turns: tuple[Turn, ...]
    sampling: Sampling
    id: str = ""
    shift: bool = False
    begun: Begun = NEW


class Tokenize(msgspec.Struct, frozen=True, tag="tokenize"):
    """Count the tokens of `text`; answered at once, even while an answer is generated."""

    number: int
    text: str


class CountTurns(msgspec.Struct, frozen=True, tag="count_turns"):
    """Count the tokens of `turns` as a prompt; answered at once, even while an answer is generated."""

    number: int
    turns: tuple[Turn, ...]


class Resize(msgspec.Struct, frozen=True, tag="resize"):
    """Make another context over the same weights, and keep the KV cache if it can be kept."""

    number: int
    options: LoadOptions


class Weigh(msgspec.Struct, frozen=True, tag="weigh"):
    """Say what the KV cache holds."""

    number: int


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """Write `turns`, and what had `begun`, as a prompt; say how much of it the KV cache could reuse."""

    number: int
    turns: tuple[Turn, ...]
    begun: Begun = NEW


class Park(msgspec.Struct, frozen=True, tag="park"):
    """Write the KV cache into the empty file at `path`. `number` names its abort flag too."""

    number: int
    path: str
    label: ParkLabel


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """Replace the KV cache by the one that is parked at `path`."""

    number: int
    path: str


Upkeep = Resize | Weigh | Compare | Park | Restore
"""Orders that touch the context, and so are carried out between answers, in the order of their coming."""

Reading = Tokenize | CountTurns
"""Orders that touch nothing but the vocabulary."""

Order = Load | Generate | Reading | Upkeep


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


class Holds(msgspec.Struct, frozen=True, tag="holds"):
    """What the KV cache holds now: told before each `Settled`, and before the replies that change it."""

    branches: tuple[Branch, ...]


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """The reply to a `Tokenize` of the same number."""

    number: int
    tokens: int


class TurnsCounted(msgspec.Struct, frozen=True, tag="turns_counted"):
    """The reply to a `CountTurns`."""

    number: int
    count: CountReply


class Resized(msgspec.Struct, frozen=True, tag="resized"):
    """The reply to a `Resize`: the model as it is now, and how many tokens its cache still holds."""

    number: int
    description: Description
    kept: int


class Weighed(msgspec.Struct, frozen=True, tag="weighed"):
    """The reply to a `Weigh`."""

    number: int
    held: Held


class Compared(msgspec.Struct, frozen=True, tag="compared"):
    """The reply to a `Compare`."""

    number: int
    fit: Fit


class Parked(msgspec.Struct, frozen=True, tag="parked"):
    """The reply to a `Park`: what was written."""

    number: int
    header: ParkHeader


class Restored(msgspec.Struct, frozen=True, tag="restored"):
    """The reply to a `Restore`: how many tokens the cache holds now."""

    number: int
    tokens: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The reply to any order that could not be carried out."""

    number: int
    problem: Problem


Reply = Counted | TurnsCounted | Resized | Weighed | Compared | Parked | Restored | Failed
"""What answers an order of the same number."""

Report = Progress | Loaded | Refused | Happened | Holds | Reply

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
