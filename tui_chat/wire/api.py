"""Requests and replies of the engine's HTTP surface, version 1 (paths are in `wire.paths`)."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from tui_chat.chat.model import Answer, Problem, Role, Sampling

PROTOCOL = 1
"""Raised whenever a client and an engine of different releases could misunderstand each other."""


class Turn(msgspec.Struct, frozen=True):
    """One message as it is sent to a model."""

    role: Role
    text: str


class GenerateRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ask for one answer.

    Attributes:
        id: The answer's message id, chosen by the client; posting the same id twice is one generation.
        model: Model id as `ModelInfo.id`, or an absolute path to a GGUF file.
        turns: The exact messages to send, system first if there is one.
        context: Context size wanted, in tokens; None lets the engine choose.
        journal: Absolute path of the journal file to keep while generating; None keeps none.
        session: Session id, for other terminals to find the generation by.
        only_while_heard: Cancel when the last listener goes, or none comes (an interrupted command line).
    """

    id: str
    model: str
    turns: tuple[Turn, ...]
    sampling: Sampling = Sampling()
    context: int | None = None
    journal: str | None = None
    session: str | None = None
    only_while_heard: bool = False


class GenerationState(enum.StrEnum):
    """Where a generation is on its way."""

    QUEUED = "queued"
    LOADING = "loading"
    PREFILL = "prefill"
    DECODING = "decoding"
    SETTLED = "settled"


class GenerationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A generation as the engine knows it now. `last_seq` is its newest event's number."""

    id: str
    model: str
    state: GenerationState
    last_seq: int
    session: str | None = None


class ModelState(enum.StrEnum):
    """Where a model is: on disk, on its way, in memory, or unusable."""

    ON_DISK = "on_disk"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    BROKEN = "broken"


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model on this machine. `context` is the resident's context in tokens, 0 when not resident."""

    id: str
    path: str
    size_bytes: int
    state: ModelState
    architecture: str = ""
    quant: str = ""
    parameters: int = 0
    trained_context: int = 0
    context: int = 0
    problem: Problem | None = None


class LoadRequest(msgspec.Struct, frozen=True):
    """Bring a model into memory (or, on the unload path, out of it)."""

    model: str
    context: int | None = None


class TokenizeRequest(msgspec.Struct, frozen=True):
    """Count the tokens of `text` with a resident model's tokenizer."""

    model: str
    text: str


class TokenizeReply(msgspec.Struct, frozen=True):
    """Number of tokens."""

    tokens: int


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who the engine is and what it is doing."""

    version: str
    protocol: int
    pid: int
    started: datetime
    idle_exit_s: float
    generations: tuple[GenerationInfo, ...] = ()
    residents: tuple[ModelInfo, ...] = ()


class EngineChanged(msgspec.Struct, frozen=True):
    """Sent on the engine's own event stream whenever a resident or a generation changes state."""

    residents: tuple[ModelInfo, ...]
    generations: tuple[GenerationInfo, ...]


class JournalHeader(msgspec.Struct, frozen=True, kw_only=True):
    """First line of a journal: what is being generated, so that the file explains itself."""

    journal: int = 1
    id: str
    session: str | None
    started: datetime
    answer: Answer


class ErrorReply(msgspec.Struct, frozen=True):
    """Body of every HTTP status from 400 up."""

    problem: Problem
