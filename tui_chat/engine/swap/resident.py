"""One model in memory or on its way there, and the table of them all."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from tui_chat.backends.protocol import LoadedModel
from tui_chat.telemetry.owners import Worker
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import DeviceKind, KvType, LoadOptions, Plan, Strategy

Progress = Callable[[str, float, float | None], None]
"""Told the model's id, how much of it is loaded (0..1), and the seconds that are left, if known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What somebody wants of a model in memory.

    Attributes:
        need: Tokens that its context must hold.
        context, kv_type, strategy: Fixed by the user; None leaves them to the plan.
        keep_alive_s: How long it stays when idle: 0 goes after the next answer, negative stays for ever.
        force: Whether pinned and answering models may go for it.
        quiet: Whether nobody may go or shrink for it, nor wait for it.
    """

    model: str
    need: int = 0
    context: int | None = None
    kv_type: KvType | None = None
    strategy: Strategy | None = None
    keep_alive_s: float | None = None
    force: bool = False
    quiet: bool = False

    def served_by(self, options: LoadOptions, trained: int) -> bool:
        """Whether a model loaded with `options` will do, which was `trained` for so many tokens if known.

        A context as long as it was trained for serves any need: it can do no better. One that somebody
        fixed is to be just so.
        """
        if self.context and options.context != (min(self.context, trained) if trained else self.context):
            return False
        holds = options.context >= (min(self.need, trained) if trained else self.need)
        return holds and self.kv_type in (None, options.kv_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A model in memory (`model` is there) or on its way. Times are of the monotonic clock.

    `tokens` are what the last conversation took of its context; `answers` is how many it is writing.
    """

    info: ModelInfo
    plan: Plan | None = None
    model: LoadedModel | None = None
    load_ms: float = 0.0
    used: float = field(default_factory=time.monotonic)
    keep_alive_s: float = -1.0
    pinned: bool = False
    tokens: int = 0
    answers: int = 0

    @property
    def id(self) -> str:
        """The model's id."""
        return self.info.id

    @property
    def alive(self) -> bool:
        """Whether it can be asked something."""
        return self.model is not None and self.model.death is None

    @property
    def busy(self) -> bool:
        """Whether it is answering."""
        return self.info.state is ModelState.BUSY

    @property
    def may_go(self) -> bool:
        """Whether it may be evicted without anybody saying so."""
        return not (self.pinned or self.busy)

    @property
    def options(self) -> LoadOptions | None:
        """How its context is now."""
        if self.model is None:
            return None
        return self.model.description.options or (self.plan.options if self.plan else None)

    @property
    def expires(self) -> float | None:
        """When it goes if nobody uses it; None for one that stays."""
        if self.keep_alive_s < 0 or self.pinned or self.busy or self.model is None:
            return None
        return self.used + self.keep_alive_s


@dataclass(frozen=True, slots=True)
class Holdable:
    """A model in memory, the numbers of the GPUs that it uses, and whether it is to be easy on them."""

    id: str
    model: LoadedModel
    gpus: frozenset[int] = frozenset()
    easy: bool = False

    def uses(self, gpu: int | None) -> bool:
        """Whether it uses that GPU, or, if that is None, the processors: they have a part in everything."""
        return gpu is None or gpu in self.gpus


class Table:
    """Every resident by the path of its file: the one place where their state changes."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._by_path: dict[str, Resident] = {}
        self._on_change = on_change

    def __iter__(self) -> Iterator[Resident]:
        return iter(list(self._by_path.values()))

    def get(self, path: str) -> Resident | None:
        """The resident whose file is at `path`."""
        return self._by_path.get(path)

    def named(self, wanted: str) -> Resident | None:
        """The resident called `wanted`, or whose file is there."""
        return next((each for each in self if each.info.is_called(wanted)), None)

    @property
    def dead(self) -> list[Resident]:
        """Those whose process has died."""
        return [each for each in self if each.model is not None and each.model.death is not None]

    def put(self, resident: Resident) -> Resident:
        """Add it, or replace the one with the same file."""
        self._by_path[resident.info.path] = resident
        self._on_change()
        return resident

    def change(self, path: str, *, info: dict[str, object] | None = None, **fields: object) -> None:
        """Change fields of a resident, and of its info; of no effect when it is gone."""
        known = self._by_path.get(path)
        if known is None:
            return
        if info:
            fields["info"] = msgspec.structs.replace(known.info, **info)
        self._by_path[path] = dataclasses.replace(known, **fields)  # type: ignore[arg-type]
        self._on_change()

    def remove(self, path: str) -> None:
        """Forget it."""
        if self._by_path.pop(path, None) is not None:
            self._on_change()

    def workers(self) -> tuple[Worker, ...]:
        """The processes of those in memory, and what each was planned to take of the GPUs."""
        return tuple(
            Worker(each.model.pid, each.id, _planned(each))
            for each in self
            if each.model is not None and each.model.pid
        )

    def holdable(self) -> tuple[Holdable, ...]:
        """The models in memory, as heat concerns them."""
        return tuple(
            Holdable(
                each.id,
                each.model,
                frozenset(number for number, taken in _planned(each).items() if taken),
                easy=each.plan is not None and each.plan.strategy is Strategy.POWER_EFFICIENT,
            )
            for each in self
            if each.model is not None and _is_here(each)
        )

    def infos(self) -> tuple[ModelInfo, ...]:
        """All of them as the outside may know them, the last used first."""
        now = time.monotonic()
        return tuple(
            msgspec.structs.replace(
                each.info,
                pinned=each.pinned,
                keep_alive_s=each.keep_alive_s,
                idle_s=0.0 if each.busy or each.model is None else round(now - each.used, 1),
            )
            for each in sorted(self, key=lambda each: -each.used)
        )


def _planned(resident: Resident) -> dict[int, int]:
    """What a model was planned to take of each GPU, in bytes by the GPU's number."""
    gpus = (use for use in resident.info.devices if use.kind is not DeviceKind.RAM)
    return {int(use.name.removeprefix("gpu")): use.total_bytes for use in gpus}


def _is_here(resident: Resident) -> bool:
    """Whether it heats this machine; one of a server that was not planned may be anywhere."""
    return not resident.info.server or resident.plan is not None
