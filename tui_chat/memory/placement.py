"""Searches the ways to load a model for the one that serves a strategy best.

One search for all strategies: context, KV type, batch and division of the layers, each candidate priced
by arithmetic and weighed by the strategy's `Objective`. Thousands would be possible; the few dozen looked
at are those that differ in something a person would notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from tui_chat.memory.forecast import KV_LAYOUT, Share, forecast
from tui_chat.memory.machine import Machine, margin, overhead
from tui_chat.memory.objective import OBJECTIVES, Outcome
from tui_chat.memory.offload import layouts
from tui_chat.memory.pace import Pace, pace
from tui_chat.memory.profile import Profile
from tui_chat.memory.spans import Spans
from tui_chat.wire.plan import DeviceKind, DeviceSpec, DeviceUse, KvType, LoadOptions, Strategy

LEAST_CONTEXT = 2048
"""Tokens; a shorter one is no use to anybody, unless the model was trained for less."""
_UBATCHES = (512, 256, 128)
_KV_TYPES = (KvType.F16, KvType.Q8_0)
_LAST_RESORT = (KvType.F16, KvType.Q8_0, KvType.Q4_0)
_LEAST_FILL = 1024
"""Tokens of context that speed is estimated at, at least."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a plan is asked for. What is None is for the search to choose.

    Attributes:
        need: Tokens that the context must hold: the conversation and its next answer.
        desired: Tokens of context wished for.
        keep_free: Bytes to leave free on each GPU, if that is more than the usual margin.
        projector: Path of the file to be loaded too, so that the model can see; empty for none.
    """

    strategy: Strategy = Strategy.BALANCED
    need: int = 0
    desired: int = 8192
    context: int | None = None
    kv_type: KvType | None = None
    ubatch: int | None = None
    gpu_layers: int | None = None
    split: tuple[float, ...] | None = None
    cpu_experts: int | None = None
    sequences: int = 1
    keep_free: int = 0
    projector: str = ""

    @property
    def filled(self) -> int:
        """Tokens of context that speed is estimated at."""
        return max(self.need, _LEAST_FILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to load the model, priced; `missing` is in bytes."""

    options: LoadOptions
    uses: tuple[DeviceUse, ...]
    repacked: int
    pace: Pace
    missing: int
    cost: float

    @property
    def fits(self) -> bool:
        """Whether there is room for it everywhere."""
        return self.missing == 0


class Search:
    """The ways to load one model on one machine, with `beside` bytes for what lets it see.

    That is computed on the first GPU where a GPU has layers, and else in RAM.
    """

    def __init__(self, spans: Spans, wish: Wish, machine: Machine, beside: int = 0) -> None:
        self.spans = spans
        self.wish = wish
        self.machine = machine
        self.beside = beside
        self._for_layers = _with_less(machine, beside)
        self._kinds = [gpu.kind for gpu in machine.gpus]
        self._objective = OBJECTIVES[wish.strategy]
        self._ideal = self._best_pace()

    def best(self) -> Candidate:
        """The best way that fits, else the one that misses least; its bytes exact where arithmetic is."""
        best: Candidate | None = None
        for candidate in self.candidates():
            if best is None or _rank(candidate) < _rank(best):
                best = candidate
            if best.fits and best.cost <= 0:
                break  # nothing can be better than what costs nothing
        assert best is not None, "there is always a way, if only one that does not fit"
        return self.judge(best.options, forecast(self.spans.profile, best.options, self._kinds))

    def candidates(self) -> Iterator[Candidate]:
        """Yield the ways worth looking at, the most wished for first."""
        for ubatch in _given(self.wish.ubatch, _UBATCHES):
            found = False
            for context in self.contexts():
                for kv_type in self._kv_types():
                    options = LoadOptions(
                        context=context, kv_type=kv_type, ubatch=ubatch, sequences=self.wish.sequences
                    )
                    for layout in self._layouts(options):
                        candidate = self.price(layout)
                        found |= candidate.fits and (layout.gpu_layers > 0 or not self.machine.gpus)
                        yield candidate
            if found:
                return  # smaller batches read prompts more slowly, and are worth it only where they must be

    def contexts(self) -> list[int]:
        """Sizes of context to try, the most wished for first."""
        wish = self.wish
        if wish.context is not None:
            return [wish.context]
        most = self._most_context()
        least = min(most, max(wish.need, min(LEAST_CONTEXT, most)))
        return sorted(
            {most, least, *(1 << power for power in range(11, 24) if least <= 1 << power <= most)},
            reverse=True,
        )

    def price(self, options: LoadOptions) -> Candidate:
        """Weigh one way to load the model, by arithmetic."""
        return self.judge(options, self.spans.shares(options, self._kinds))

    def judge(self, options: LoadOptions, shares: Sequence[Share]) -> Candidate:
        """Weigh a way to load the model whose `shares` are known."""
        eyes = 0 if self.machine.gpus and options.gpu_layers else len(self.machine.gpus)
        uses = tuple(
            self._use(share, device, self.beside if at == eyes else 0)
            for at, (share, device) in enumerate(zip(shares, self.machine.devices, strict=True))
        )
        taken = pace(self.spans, options, self.machine, self.wish.filled)
        outcome = Outcome(
            slowdown=taken.seconds / self._ideal.seconds,
            energy=taken.joules / self._ideal.joules,
            shortage=self._most_context() / options.context,
            kv_type=options.kv_type,
            ubatch=options.ubatch,
        )
        return Candidate(
            options=options,
            uses=uses,
            repacked=shares[-1].repacked,
            pace=taken,
            missing=sum(map(_missing, uses)),
            cost=self._objective.cost(outcome),
        )

    def _use(self, share: Share, device: DeviceSpec, beside: int) -> DeviceUse:
        return DeviceUse(
            name=device.name,
            kind=device.kind,
            layers=share.layers,
            weights_bytes=share.weights,
            kv_bytes=share.kv,
            compute_bytes=share.compute,
            overhead_bytes=overhead(self.spans.profile, device, used=share.total + beside > 0) + beside,
            projector_bytes=beside,
            free_bytes=device.free_bytes,
            margin_bytes=margin(device)
            if device.kind is DeviceKind.RAM
            else max(margin(device), self.wish.keep_free),
        )

    def _most_context(self) -> int:
        wish = self.wish
        if wish.context is not None:
            return wish.context
        wished = max(wish.desired, wish.need)
        trained = self.spans.profile.trained_context or wished
        return trained if wish.strategy is Strategy.MAX_CONTEXT else min(trained, wished)

    def _kv_types(self) -> tuple[KvType, ...]:
        """KV types to try."""
        if self.wish.kv_type is not None:
            return (self.wish.kv_type,)
        if not takes_quantised(self.spans.profile):
            return (KvType.F16,)
        return _LAST_RESORT if self.wish.strategy is Strategy.MAX_CONTEXT else _KV_TYPES

    def _layouts(self, options: LoadOptions) -> Iterator[LoadOptions]:
        wish = self.wish
        if wish.gpu_layers is None and wish.split is None and wish.cpu_experts is None:
            yield from layouts(self.spans, options, self._for_layers, wish.keep_free)
            return
        everything = self.spans.profile.layer_count + 1
        offloaded = everything if wish.gpu_layers is None else min(wish.gpu_layers, everything)
        yield LoadOptions(
            context=options.context,
            kv_type=options.kv_type,
            ubatch=options.ubatch,
            gpu_layers=offloaded if self.machine.gpus else 0,
            split=wish.split or self._split_by_room(),
            cpu_experts=wish.cpu_experts or 0,
            sequences=options.sequences,
        )

    def _split_by_room(self) -> tuple[float, ...]:
        """Layers per GPU by what is free on it, as llama.cpp divides them when nobody says how."""
        gpus = self._for_layers.gpus
        return tuple(float(gpu.free_bytes >> 20) for gpu in gpus) if len(gpus) > 1 else ()

    def _best_pace(self) -> Pace:
        """The speed with everything on the fastest device, the energy with all on the thriftiest."""
        everything = self.spans.profile.layer_count + 1
        options = LoadOptions(context=LEAST_CONTEXT, kv_type=self.wish.kv_type or KvType.F16)
        alone = [
            Machine((), self.machine.ram),
            *(Machine((gpu,), self.machine.ram) for gpu in self.machine.gpus),
        ]
        paces = [
            pace(self.spans, _offloading(options, everything), machine, self.wish.filled) for machine in alone
        ]
        return Pace(min(each.seconds for each in paces), min(each.joules for each in paces))


def _with_less(machine: Machine, beside: int) -> Machine:
    """The machine with so much less room for layers on the first GPU."""
    if not beside or not machine.gpus:
        return machine
    first, *others = machine.gpus
    left = msgspec.structs.replace(first, free_bytes=max(0, first.free_bytes - beside))
    return Machine((left, *others), machine.ram)


def takes_quantised(profile: Profile) -> bool:
    """Whether the model's KV cache can be quantised: that needs rows of whole blocks."""
    rows = [elements for cache in profile.caches.layers for elements in (cache.keys, cache.values)]
    return any(rows) and not any(elements % KV_LAYOUT[KvType.Q8_0][0] for elements in rows)


def _offloading(options: LoadOptions, layers: int) -> LoadOptions:
    return LoadOptions(context=options.context, kv_type=options.kv_type, gpu_layers=layers)


def _missing(use: DeviceUse) -> int:
    """How many bytes short a device is of what a plan takes of it and leaves on it."""
    return max(0, use.total_bytes + use.margin_bytes - use.free_bytes) if use.total_bytes else 0


def _rank(candidate: Candidate) -> tuple[int, float]:
    return (candidate.missing, candidate.cost)


def _given(fixed: T | None, choices: tuple[T, ...]) -> tuple[T, ...]:
    return choices if fixed is None else (fixed,)
