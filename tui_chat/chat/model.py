"""The nouns of a conversation: session, message, answer, and how an answer ended.

Everything here is immutable and is both the in-memory domain and, through msgspec, the file
format and part of the wire format. Times are UTC; durations are in the unit their name ends in.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated

import msgspec

from tui_chat.chat.attachments import Attachment, PictureRef, pictures_of, with_attachments
from tui_chat.chat.described import described
from tui_chat.chat.flight import Flight
from tui_chat.chat.policy import Cut, Policy

SCHEMA = 2
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
    INTERRUPTED = "interrupted"
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
    THEME_INVALID = "theme_invalid"
    PARK_INVALID = "park_invalid"
    PARK_FAILED = "park_failed"
    SUMMARY_FAILED = "summary_failed"
    SERVER_UNKNOWN = "server_unknown"
    SERVER_UNREACHABLE = "server_unreachable"
    SERVER_REFUSED = "server_refused"
    SERVER_BUSY = "server_busy"
    SERVER_FAILED = "server_failed"
    SERVER_STALLED = "server_stalled"
    SERVER_GARBLED = "server_garbled"
    STREAM_BROKEN = "stream_broken"
    UNSAFE_CONNECTION = "unsafe_connection"
    CANNOT_STOP = "cannot_stop"
    NOT_POSSIBLE = "not_possible"
    PROMPT_CUT = "prompt_cut"
    PICTURE_UNSEEN = "picture_unseen"
    PICTURE_LEFT_OUT = "picture_left_out"
    PICTURE_GONE = "picture_gone"


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

    temperature: Annotated[float, described("How freely tokens are drawn; 0 always takes the likeliest")] = (
        0.7
    )
    top_k: Annotated[int, described("Draw from the likeliest so many tokens; 0 for all")] = 40
    top_p: Annotated[float, described("Draw from the likeliest tokens up to this share")] = 0.95
    min_p: Annotated[float, described("Draw from tokens with at least this share of the likeliest one's")] = (
        0.05
    )
    repeat_penalty: Annotated[float, described("Make tokens that were there less likely; 1 is off")] = 1.0
    frequency_penalty: Annotated[float, described("The same, by how often they were there; 0 is off")] = 0.0
    presence_penalty: Annotated[float, described("The same, if they were there at all; 0 is off")] = 0.0
    penalty_last_n: Annotated[int, described("How many tokens back the penalties look; -1 for all")] = 64
    seed: Annotated[
        int | None, described("What drawing begins with; else a new number each time, kept with the answer")
    ] = None
    max_tokens: Annotated[int | None, described("Tokens of an answer; else as many as the context holds")] = (
        None
    )
    stop: Annotated[tuple[str, ...], described("Texts that end an answer")] = ()


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Token counts as the backend evaluated them.

    `reused_tokens` of the prompt were in the KV cache, `shifted_tokens` of them at another place: those
    were moved when something before them had been dropped, not evaluated again. `estimated`: a server did
    not tell, and these are our guess.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reused_tokens: int = 0
    shifted_tokens: int = 0
    estimated: bool = False


class Timings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the time of one answer went, measured with monotonic clocks.

    `ttft_ms` runs from the engine's acceptance of the request to the first token; `decode_tps` is
    (completion tokens - 1) / decode seconds, because n tokens take n-1 steps, and None below two.
    `held_ms` is what it waited in between for a device to cool down; no other time counts that.
    """

    queue_ms: float = 0.0
    load_ms: float = 0.0
    prefill_ms: float = 0.0
    ttft_ms: float | None = None
    thinking_ms: float = 0.0
    decode_ms: float = 0.0
    decode_tps: float | None = None
    held_ms: float = 0.0


class Expected(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many tokens we believed to send; `exact` if the model's own tokenizer had counted them."""

    tokens: int
    exact: bool = False


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an assistant's message came to be. `finish` is None while it is being generated.

    Attributes:
        model: The model's id.
        sampling: What was asked for.
        seed: What was drawn with, as far as anything was drawn.
        fingerprint: Which weights exactly.
        expected: What we believed the prompt to be, to be compared with what was evaluated.
        continues: The answer that this one goes on with: it begins with that one's text.
        edited: Whether its text was changed by hand.
        flight: The machine while it was written.
        route: Why this model answered, where a route chose it.
    """

    model: str
    sampling: Sampling = Sampling()
    seed: int | None = None
    fingerprint: str = ""
    finish: FinishReason | None = None
    problem: Problem | None = None
    usage: Usage = Usage()
    timings: Timings = Timings()
    expected: Expected | None = None
    continues: str | None = None
    edited: bool = False
    flight: Flight | None = None
    route: str = ""

    @property
    def prefill_tps(self) -> float | None:
        """How fast the prompt was read, in tokens per second; None if no more than a token had to be."""
        evaluated = self.usage.prompt_tokens - self.usage.reused_tokens
        taken_ms = self.timings.prefill_ms
        return evaluated / taken_ms * 1e3 if evaluated > 1 and taken_ms > 0 else None


class Setup(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model is told about how to answer; `preset` is the name of the preset it comes from."""

    system: str = ""
    sampling: Sampling = Sampling()
    preset: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One node of the conversation tree. `parent` is None for a first message.

    Attributes:
        name: What somebody called the branch that begins here.
        pinned: Whether it is sent even when what stands around it no longer is.
        removed: When it was deleted, with all below it; it is kept for a while, for an undo.
        setup: Of a system's node: from here on the model is told this.
        cut: Of a system's node: from here on less is sent; `text` is the summary of the rest.
        attachments: Texts and pictures that a user sends with it.
    """

    id: str
    role: Role
    text: str
    created: datetime
    parent: str | None = None
    thinking: str = ""
    answer: Answer | None = None
    name: str = ""
    pinned: bool = False
    removed: datetime | None = None
    setup: Setup | None = None
    cut: Cut | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def sent(self) -> str:
        """What a model reads of it: its text, after what is attached to it."""
        return with_attachments(self.attachments, self.text) if self.attachments else self.text

    @property
    def pictures(self) -> tuple[PictureRef, ...]:
        """What a model that can is shown with it."""
        return pictures_of(self.attachments) if self.attachments else ()

    @property
    def in_flight(self) -> bool:
        """Whether this is an answer that has not settled yet."""
        return self.answer is not None and self.answer.finish is None

    @property
    def said(self) -> bool:
        """Whether somebody said it; nodes of the system only tell how the conversation goes on."""
        return self.role is not Role.SYSTEM


class Act(enum.StrEnum):
    """What was done to a tree, for its undo to name it."""

    SEND = "send"
    EDIT = "edit"
    EDIT_ANSWER = "edit_answer"
    REGENERATE = "regenerate"
    COMPARE = "compare"
    CONTINUE = "continue"
    SHOW = "show"
    REMOVE = "remove"
    NAME = "name"
    PIN = "pin"
    SETUP = "setup"
    POLICY = "policy"
    CUT = "cut"
    RESTORE = "restore"
    SUMMARY = "summary"
    FACTS = "facts"


class Marks(msgspec.Struct, frozen=True, omit_defaults=True):
    """What can be changed of a message that is there. `text` is of system's nodes only: a summary."""

    name: str = ""
    pinned: bool = False
    removed: datetime | None = None
    restored: bool = False
    text: str = ""


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """Fields of a session that a step changed; those it did not are unset."""

    leaf: str | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    system: str | msgspec.UnsetType = msgspec.UNSET
    sampling: Sampling | msgspec.UnsetType = msgspec.UNSET
    preset: str | msgspec.UnsetType = msgspec.UNSET
    policy: Policy | msgspec.UnsetType = msgspec.UNSET
    facts: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing done to a tree, so that it can be undone and done again.

    Attributes:
        act: What it was.
        added: Messages that it made, of which each is deleted by an undo.
        before, after: The session's fields that it changed.
        marks: Messages that it changed, each with how it was and how it is.
    """

    act: Act
    added: tuple[str, ...] = ()
    before: Shape = Shape()
    after: Shape = Shape()
    marks: dict[str, tuple[Marks, Marks]] = {}


class Origin(msgspec.Struct, frozen=True):
    """Where a session was forked: below which message of which other session."""

    session: str
    message: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as it is kept on disk: every message of every branch, oldest first.

    Attributes:
        leaf: The message the view ends at; following parents from it gives the active branch.
        routed: Whether each message goes to the model that the routes in the settings name for it.
        system, sampling, preset: How to answer, until a node on the branch says otherwise (`Setup`).
        policy: What happens when the conversation outgrows its window.
        facts: Short statements that the model is always told.
        send_thinking: Whether models read what was thought before earlier answers.
        tags: What a person sorts sessions by.
        origin: Where it was forked from, if it was.
        queued: Messages sent while an answer was being written: each joins the tree, below whatever is
            the leaf then, when its turn comes.
        steps, undone: What can be undone, and what was and can be done again; newest last.
    """

    schema: int = SCHEMA
    id: str
    title: str = ""
    titled_by_user: bool = False
    created: datetime
    updated: datetime
    archived: bool = False
    tags: tuple[str, ...] = ()
    origin: Origin | None = None
    model: str | None = None
    routed: bool = False
    system: str = ""
    sampling: Sampling = Sampling()
    preset: str = ""
    policy: Policy = Policy()
    facts: tuple[str, ...] = ()
    send_thinking: bool = False
    leaf: str | None = None
    queued: tuple[Message, ...] = ()
    steps: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = ()
