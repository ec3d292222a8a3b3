"""What happens to one generation, in order.

The same events travel the worker's pipe, the engine's SSE stream and the journal on disk.
A stream is any number of `Queued`, `Loading`, `Waiting`, `Prefill`, then `Delta`s, then one `Settled`.
"""

from __future__ import annotations

import enum

import msgspec

from tui_chat.chat.flight import Flight
from tui_chat.chat.model import FinishReason, Problem, Timings, Usage


class Channel(enum.StrEnum):
    """Which of the model's two voices a piece of text belongs to."""

    ANSWER = "answer"
    THINKING = "thinking"


class Queued(msgspec.Struct, frozen=True, tag="queued"):
    """Waiting for `ahead` other generations."""

    ahead: int


class Loading(msgspec.Struct, frozen=True, tag="loading"):
    """The model is being loaded; `fraction` is 0..1, `eta_s` None while nothing is known."""

    model: str
    fraction: float
    eta_s: float | None = None


class Waiting(msgspec.Struct, frozen=True, tag="waiting", omit_defaults=True):
    """A server has been asked and has said nothing yet.

    Attributes:
        server: Its name.
        loading: Whether it has to load the model first, which may take minutes.
        retry_in_s: Seconds until it is asked again, because of `why`; None where it was asked just now.
    """

    server: str
    loading: bool = False
    why: str = ""
    retry_in_s: float | None = None


class Prefill(msgspec.Struct, frozen=True, tag="prefill"):
    """`done` of `total` prompt tokens are in the KV cache, `reused` of them from before."""

    done: int
    total: int
    reused: int
    eta_s: float | None = None


class Delta(msgspec.Struct, frozen=True, tag="delta"):
    """More text in one channel. `tokens` were decoded for it (0 when a piece is only completed)."""

    text: str
    tokens: int
    channel: Channel = Channel.ANSWER


class Warned(msgspec.Struct, frozen=True, tag="warned"):
    """Something the user should know while the generation goes on (the journal cannot be written)."""

    problem: Problem


class Settled(msgspec.Struct, frozen=True, tag="settled", omit_defaults=True):
    """The end, and the only end: why, what it cost, and what went wrong if anything did.

    `flight` is the engine's to add: a backend knows nothing of it.
    """

    finish: FinishReason
    usage: Usage = Usage()
    timings: Timings = Timings()
    problem: Problem | None = None
    seed: int | None = None
    fingerprint: str = ""
    flight: Flight | None = None


Event = Queued | Loading | Waiting | Prefill | Delta | Warned | Settled


class Numbered(msgspec.Struct, frozen=True):
    """An event with its place in the stream, from 1; SSE's `id` and `Last-Event-ID`."""

    seq: int
    event: Event
