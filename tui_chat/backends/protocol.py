"""The verbs that every backend speaks to the engine.

Load, describe, tokenize, generate, cancel, close.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from tui_chat.chat.model import Problem, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Event
from tui_chat.wire.plan import LoadOptions


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is to be loaded. `threads` None means every usable core."""

    path: Path
    options: LoadOptions
    threads: int | None = None


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a loaded model says of itself.

    Attributes:
        fingerprint: Identifies the exact weights file (name, size and a hash of its header).
        context: Size of the loaded context in tokens.
        trained_context: What the model was trained for, in tokens.
        load_ms: From spawning the process to ready.
        backend: Name and version, such as ``llama-cpp-python 0.3.36``.
    """

    architecture: str
    parameters: int
    fingerprint: str
    context: int
    trained_context: int
    vocabulary: int
    threads: int
    load_ms: float
    backend: str
    can_think: bool = False


class BackendError(Exception):
    """A backend could not do what it was asked; `problem` says what happened, for a person."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class LoadedModel(Protocol):
    """One model in memory, ready to answer one generation at a time."""

    @property
    def description(self) -> Description:
        """What the model says of itself."""
        ...

    @property
    def death(self) -> Problem | None:
        """Why the model is gone (its process died), or None while it lives."""
        ...

    def generate(self, id: str, turns: tuple[Turn, ...], sampling: Sampling) -> AsyncIterator[Event]:
        """Answer `turns`: yields `Prefill`s and `Delta`s, then exactly one `Settled`.

        Whatever goes wrong in the model, its process included, arrives as that `Settled`; the
        iterator does not raise. One generation at a time: the engine's scheduler sees to that.
        """
        ...

    def cancel(self, id: str) -> None:
        """Stop generation `id` within milliseconds, in prefill or decode; no effect if it is over."""
        ...

    async def tokenize(self, text: str) -> int:
        """Count the tokens of `text`. Raises `BackendError` if the model is gone."""
        ...

    async def close(self) -> None:
        """Give the memory back. Returns when it is really free."""
        ...


class Backend(Protocol):
    """Something that can load models."""

    async def load(self, plan: LoadPlan, on_progress: Callable[[float], None]) -> LoadedModel:
        """Load `plan.path`, reporting 0..1. Raises `BackendError`; cancelling the task abandons the load."""
        ...
