"""What happens to an open conversation, as its views are told. A view renders these and decides nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tui_chat.chat.model import Message, Problem
from tui_chat.wire.api import EngineChanged
from tui_chat.wire.events import Channel, Loading, Prefill, Queued


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


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message joined the active branch (our own, or an answer that begins)."""

    message: Message
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A queued message's turn has come."""

    id: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """The answer `id` is waiting for something, and this is how far it is."""

    id: str
    phase: Queued | Loading | Prefill


@dataclass(frozen=True, slots=True)
class Streamed:
    """More text of answer `id`; `tokens` were decoded for it."""

    id: str
    text: str
    channel: Channel
    tokens: int


@dataclass(frozen=True, slots=True)
class MessageSettled:
    """The answer is final; `message` replaces everything streamed for its id."""

    message: Message


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The tree is another one now (opened, forked, changed by its writer): draw it afresh."""


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """Title, model, access or queue changed; the messages did not."""


@dataclass(frozen=True, slots=True)
class EngineNews:
    """Residents or generations of the engine changed."""

    link: LinkState
    state: EngineChanged | None


@dataclass(frozen=True, slots=True)
class Raised:
    """Something went wrong that belongs to no answer. `draft` is text to give back to the input."""

    problem: Problem
    draft: str = ""


Change = (
    MessageAdded
    | Sent
    | Progressed
    | Streamed
    | MessageSettled
    | Reloaded
    | SessionChanged
    | EngineNews
    | Raised
)
