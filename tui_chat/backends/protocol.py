"""The verbs that every backend speaks to the engine.

Load, describe, tokenize, generate, cancel, close.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from tui_chat.chat.model import Problem, Sampling
from tui_chat.memory.parkfile import KvIdentity, ParkHeader, ParkLabel
from tui_chat.wire.api import CountReply, ModelInfo, Turn
from tui_chat.wire.events import Event
from tui_chat.wire.plan import LoadOptions

CHECKPOINT_BYTES = 256 << 20
"""Enough for the last turns of most windowed models: Gemma 3 4B takes 119 MiB for one state at f16."""


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is to be loaded. `threads` None means every usable core.

    Attributes:
        checkpoint_bytes: RAM that may be spent on states to go back to, of a model that cannot be
            rewound without them (sliding window, recurrent); others take none.
        checkpoint_floor: RAM in bytes that has to stay available on the machine beside them.
        projector: The file that lets the model see pictures, if it is to.
        served: The model, if a server is to load it.
        keep_alive_s: How long that server keeps it when idle: 0 goes at once, negative stays.
    """

    path: Path
    options: LoadOptions
    threads: int | None = None
    checkpoint_bytes: int = CHECKPOINT_BYTES
    checkpoint_floor: int = 0
    projector: Path | None = None
    served: ModelInfo | None = None
    keep_alive_s: float | None = None


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a loaded model says of itself.

    Attributes:
        fingerprint: Identifies the exact weights file (name, size and a hash of its header).
        context: Size of the loaded context in tokens.
        trained_context: What the model was trained for, in tokens.
        load_ms: From spawning the process to ready.
        backend: Name and version, such as ``llama-cpp-python 0.3.36``.
        blind: Why it cannot be shown pictures though its plan said so; empty if it can, or need not.
        options: What is in force: those of the load, or of the last resize.
        identity: What another model must have in common to take this one's KV cache over.
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
    blind: str = ""
    options: LoadOptions | None = None
    identity: KvIdentity | None = None


class Allocation(msgspec.Struct, frozen=True):
    """A buffer that could not be had: on which device, and of how many bytes."""

    device: str
    size: int


class BackendError(Exception):
    """A backend could not do what it was asked.

    Attributes:
        problem: What happened, for a person.
        allocation: The buffer that could not be had, where that was it and it is known.
    """

    def __init__(self, problem: Problem, allocation: Allocation | None = None) -> None:
        super().__init__(problem.what)
        self.problem = problem
        self.allocation = allocation


class Begun(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer that is to go on has said and thought already; false for one that begins."""

    text: str = ""
    thinking: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.thinking)


NEW = Begun()
"""Of an answer that only begins."""


class Held(msgspec.Struct, frozen=True):
    """What a KV cache holds: the tokens, and the bytes that parking them takes without a label.

    `tag` is the answer that all of it was read or written for; empty if nobody can say.
    """

    tokens: tuple[int, ...]
    size: int
    tag: str = ""


class Branch(msgspec.Struct, frozen=True):
    """A conversation that a KV cache holds: the answer up to which it was read, and how many tokens."""

    tag: str
    tokens: int


class Fit(msgspec.Struct, frozen=True):
    """A conversation as a model's tokens; its KV cache holds `held`, and could reuse `reusable` of them.

    Pictures are among them as `memory.pictured` writes them.
    """

    tokens: tuple[int, ...]
    reusable: int
    held: int


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

    def generate(
        self, id: str, turns: tuple[Turn, ...], sampling: Sampling, *, begun: Begun = NEW, shift: bool = False
    ) -> AsyncIterator[Event]:
        """Answer `turns`: yields `Prefill`s and `Delta`s, then exactly one `Settled`.

        An answer that had `begun` goes on in the middle of its sentence. Only what is new is yielded and
        counted, and stop strings are looked for in that alone.

        Whatever goes wrong in the model, its process included, arrives as that `Settled`; the
        iterator does not raise. One generation at a time: the engine's scheduler sees to that. `shift`
        lets it move what it has read of turns that follow dropped ones.
        """
        ...

    def cancel(self, id: str) -> None:
        """Stop generation `id` within milliseconds, in prefill or decode; no effect if it is over."""
        ...

    @property
    def can_hold(self) -> bool:
        """Whether `hold` has any effect."""
        ...

    def hold(self, held: bool) -> None:
        """Have answers wait between two tokens, with all that was read kept, or go on."""
        ...

    async def tokenize(self, text: str) -> int:
        """Count the tokens of `text`. Raises `BackendError` if the model is gone."""
        ...

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of `turns` as they would be sent, without waiting for an answer.

        Raises:
            BackendError: The model cannot be sent these turns, or is gone.
        """
        ...

    @property
    def pid(self) -> int:
        """The process that computes."""
        ...

    def real_bytes(self) -> int:
        """What the model really takes of RAM now, in bytes; 0 where that cannot be told."""
        ...

    async def close(self) -> None:
        """Give the memory back. Returns when it is really free."""
        ...


@runtime_checkable
class ParkableModel(LoadedModel, Protocol):
    """One whose context and KV cache can be had hold of.

    All methods wait for the answer that is being generated. They raise `BackendError`, after which the
    model is as it was, unless it is dead.
    """

    @property
    def branches(self) -> tuple[Branch, ...]:
        """What the KV cache held after the last answer, resize or restore, as far as it has a name.

        Known without asking the model, and so also while it answers.
        """
        ...

    async def resize(self, options: LoadOptions) -> int:
        """Change context, KV type or ubatch without loading anew; return how many tokens were kept.

        Raises:
            BackendError: There is no memory for it, or the options change where the weights are.
        """
        ...

    async def held(self) -> Held:
        """Say what the KV cache holds."""
        ...

    async def fit(self, turns: tuple[Turn, ...], begun: Begun = NEW) -> Fit:
        """Write `turns`, and what had `begun`, as a prompt; say how much of it the KV cache could reuse."""
        ...

    async def park(self, path: str, label: ParkLabel) -> ParkHeader:
        """Write the KV cache into the empty file at `path`; the model keeps it too.

        When it is cancelled, the model gives up within a fraction of a second, and it returns only when
        nothing is written any more.

        Raises:
            BackendError: The cache is empty, there is no room, or the model died.
        """
        ...

    async def restore(self, path: str) -> int:
        """Replace the KV cache by the one parked at `path`; return how many tokens it holds.

        Raises:
            BackendError: The file is damaged, foreign, or too long for the context; the cache is then
                empty or as it was.
        """
        ...


class Backend(Protocol):
    """Something that can load models."""

    async def load(
        self,
        plan: LoadPlan,
        on_progress: Callable[[float], None],
        make_room: Callable[[], Awaitable[None]] | None = None,
    ) -> LoadedModel:
        """Load `plan.path`, reporting 0..1. Raises `BackendError`; cancelling the task abandons the load.

        `make_room` is awaited before any of the model's memory is taken, after all that can be done before.
        """
        ...
