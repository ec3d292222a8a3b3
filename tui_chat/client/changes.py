"""What happens to an open conversation, as its views are told. A view renders these and decides nothing."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.model import Message, Problem
from tui_chat.wire.api import EngineChanged
from tui_chat.wire.events import Channel, Loading, Prefill, Queued, Waiting

if TYPE_CHECKING:
    from tui_chat.wire.telemetry import Sample


class Access(enum.Enum):
    """What this terminal may do with the session."""

    WRITER = "writer"
    """We hold the lock; everything works."""
    FOLLOWER = "follower"
    """Another terminal holds it: we show what happens there, and may fork."""


class LinkState(enum.Enum):
    """How this terminal stands with the engine."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"


class MessageAdded(msgspec.Struct, frozen=True):
    """A message joined the active branch (our own, or an answer that begins)."""

    message: Message
    queued: bool = False


class Sent(msgspec.Struct, frozen=True):
    """A queued message's turn has come."""

    id: str


class Progressed(msgspec.Struct, frozen=True):
    """The answer `id` is waiting for something, and this is how far it is."""

    id: str
    phase: Queued | Loading | Waiting | Prefill


class ServersChanged(msgspec.Struct, frozen=True):
    """Something new is known of servers, and of the models they have."""


class Streamed(msgspec.Struct, frozen=True):
    """More text of answer `id`; `tokens` were decoded for it."""

    id: str
    text: str
    channel: Channel
    tokens: int


class Condensing(msgspec.Struct, frozen=True):
    """A summary of so many messages is being written, before the question that follows them is sent.

    `tokens` of it are there; `done` of so many `pieces` are read. It is over when `messages` is 0.
    """

    messages: int
    tokens: int = 0
    done: int = 0
    pieces: int = 1


class MessageSettled(msgspec.Struct, frozen=True):
    """The answer is final; `message` replaces everything streamed for its id."""

    message: Message


class Reloaded(msgspec.Struct, frozen=True):
    """The tree is another one now (opened, forked, changed by its writer): draw it afresh."""


class SessionChanged(msgspec.Struct, frozen=True):
    """Title, model, access or queue changed; the messages did not."""


class EngineNews(msgspec.Struct, frozen=True):
    """Residents or generations of the engine changed."""

    link: LinkState
    state: EngineChanged | None


class SampleRead(msgspec.Struct, frozen=True):
    """The instruments were read; None: they are not asked any more."""

    sample: Sample | None


class Raised(msgspec.Struct, frozen=True):
    """Something went wrong that belongs to no answer. `draft` is text to give back to the input."""

    problem: Problem
    draft: str = ""


Change = (
    MessageAdded
    | Sent
    | Progressed
    | Streamed
    | Condensing
    | MessageSettled
    | Reloaded
    | SessionChanged
    | EngineNews
    | SampleRead
    | ServersChanged
    | Raised
)
