"""The nouns of a conversation: session, message, answer, and how an answer ended.

Everything here is immutable and is both the in-memory domain and, through msgspec, the file
format and part of the wire format. Times are UTC; durations are in the unit their name ends in.
"""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

SCHEMA = 1
"""Version of the session file; `store.upgrades` lifts older files to it."""


class Role(enum.StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class FinishReason(enum.StrEnum):
    """How a generation ended. Only `STOP` is a complete answer."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"
    CONTEXT_OVERFLOW = "context_overflow"
    LOAD_FAILED = "load_failed"
    WORKER_DIED = "worker_died"
    ENGINE_DIED = "engine_died"
    BACKEND_ERROR = "backend_error"
    TIMEOUT = "timeout"


class ProblemCode(enum.StrEnum):
    """What went wrong, for code to decide on; the words for people are in `Problem.what`."""

    MODEL_MISSING = "model_missing"
    MODEL_INVALID = "model_invalid"
    MODEL_UNKNOWN = "model_unknown"
    NO_MODEL = "no_model"
    OUT_OF_MEMORY = "out_of_memory"
    LOAD_FAILED = "load_failed"
    TEMPLATE_FAILED = "template_failed"
    CONTEXT_OVERFLOW = "context_overflow"
    WORKER_DIED = "worker_died"
    FELL_BACK = "fell_back"
    ENGINE_DIED = "engine_died"
    ENGINE_UNREACHABLE = "engine_unreachable"
    ENGINE_MISMATCH = "engine_mismatch"
    BAD_REQUEST = "bad_request"
    DECODE_FAILED = "decode_failed"
    JOURNAL_FAILED = "journal_failed"
    SAVE_FAILED = "save_failed"
    SESSION_LOCKED = "session_locked"
    SESSION_DAMAGED = "session_damaged"
    SESSION_MISSING = "session_missing"
    SESSION_NEWER = "session_newer"
    DOWNLOAD_FAILED = "download_failed"
    CONFIG_INVALID = "config_invalid"
    PARK_INVALID = "park_invalid"
    PARK_FAILED = "park_failed"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that went wrong, said for a person.

    Attributes:
        code: For decisions; never parsed out of text.
        what: One sentence in plain English: what happened, with numbers and units.
        kept: What was kept, if anything was at stake.
        remedy: What to do next, in words that do not depend on a key map.
        detail: Technical tail (log lines), shown only when asked for.
    """

    code: ProblemCode
    what: str
    kept: str = ""
    remedy: str = ""
    detail: str = ""


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the next token is drawn. Temperature 0 is greedy; a penalty of 0 (repeat: 1) is off."""

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    penalty_last_n: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Token counts as the backend evaluated them; `reused_tokens` of the prompt were in the KV cache."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reused_tokens: int = 0


class Timings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the time of one answer went, measured with monotonic clocks.

    `ttft_ms` runs from the engine's acceptance of the request to the first token; `decode_tps` is
    (completion tokens - 1) / decode seconds, because n tokens take n-1 steps, and None below two.
    """

    queue_ms: float = 0.0
    load_ms: float = 0.0
    prefill_ms: float = 0.0
    ttft_ms: float | None = None
    thinking_ms: float = 0.0
    decode_ms: float = 0.0
    decode_tps: float | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an assistant's message came to be. `finish` is None while it is being generated."""

    model: str
    sampling: Sampling = Sampling()
    seed: int | None = None
    fingerprint: str = ""
    finish: FinishReason | None = None
    problem: Problem | None = None
    usage: Usage = Usage()
    timings: Timings = Timings()


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One node of the conversation tree. `parent` is None for a first message."""

    id: str
    role: Role
    text: str
    created: datetime
    parent: str | None = None
    thinking: str = ""
    answer: Answer | None = None

    @property
    def in_flight(self) -> bool:
        """Whether this is an answer that has not settled yet."""
        return self.answer is not None and self.answer.finish is None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as it is kept on disk: every message of every branch, oldest first.

    `leaf` is the message the view ends at; following parents from it gives the active branch.
    `queued` are messages sent while an answer was being written: each joins the tree, below
    whatever is the leaf then, when its turn comes.
    """

    schema: int = SCHEMA
    id: str
    title: str = ""
    titled_by_user: bool = False
    created: datetime
    updated: datetime
    archived: bool = False
    model: str | None = None
    system: str = ""
    sampling: Sampling = Sampling()
    leaf: str | None = None
    queued: tuple[Message, ...] = ()
    messages: tuple[Message, ...] = ()
