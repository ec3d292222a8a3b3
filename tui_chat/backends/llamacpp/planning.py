"""Plans how to load a GGUF model: the search by arithmetic, its outcome checked with llama.cpp itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui_chat.backends.llamacpp.build import backend_name
from tui_chat.backends.llamacpp.eyes import BLIND, Eyes, Sees
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Buffers, Probe, Unknown
from tui_chat.config.cachefile import read_cache, write_cache
from tui_chat.memory.bandwidth import measure_ram_bandwidth
from tui_chat.memory.forecast import Share
from tui_chat.memory.machine import LIBRARY_BYTES, Machine
from tui_chat.memory.placement import Candidate, Search, Wish
from tui_chat.memory.profile import Profile, read_profile
from tui_chat.memory.spans import Spans
from tui_chat.memory.wording import reason, verdict
from tui_chat.wire.plan import DeviceSpec, LoadOptions, Plan, Source

PROBES, BANDWIDTH = "probes.msgpack", "bandwidth.msgpack"
"""Files of the cache folder: what llama.cpp said, and how fast this machine's RAM is."""
_TRIES = 3
"""How often a plan is made anew because llama.cpp lays out more than arithmetic said."""
_KEPT = 4096
"""Answers of llama.cpp that are remembered."""

_Answers = dict[str, tuple[Buffers, ...]]


class Made(NamedTuple):
    """A plan, and how far it is from what its strategy strives for (see `memory.objective`)."""

    plan: Plan
    cost: float


class Planner:
    """Makes plans. Remembers profiles, and in the folder `cache` what llama.cpp said."""

    def __init__(self, prober: Prober, cache: Path) -> None:
        self._prober = prober
        self._cache_file = cache / PROBES
        self._profiles: dict[tuple[object, ...], Spans] = {}
        self._answers: _Answers | None = None
        self._eyes = Eyes(prober, cache)

    async def plan(self, name: str, paths: Sequence[Path], wish: Wish, machine: Machine) -> Made:
        """Plan to load the model called `name` in `paths`, its files in order.

        Raises:
            GgufError: A file is missing or no GGUF file.
        """
        spans = await self.spans(paths)
        eyes = await self._eyes.look(paths[0], wish.projector)
        tight = machine
        for _ in range(_TRIES):
            search = Search(spans, wish, tight, eyes.size)
            chosen = search.best()
            said = await self._ask(paths[0], spans.profile, chosen.options, machine)
            if isinstance(said, Unknown):
                plan = make_plan(name, search, chosen, Source.ARITHMETIC, eyes)
                words = f"{plan.reason} llama.cpp would not lay it out, so this is arithmetic: {said.why}"
                return Made(msgspec.structs.replace(plan, reason=words), chosen.cost)
            shares = _shares(chosen, said)
            real = Search(spans, wish, machine, eyes.size)
            outcome = real.judge(chosen.options, shares)
            if outcome.fits or not chosen.fits:
                break
            tight = _tightened(machine, chosen, outcome)
        return Made(make_plan(name, real, outcome, Source.LLAMA_CPP, eyes), outcome.cost)

    async def sketch(self, name: str, paths: Sequence[Path], wish: Wish, machine: Machine) -> Made:
        """Plan by arithmetic alone: a few milliseconds, for lists. Raises `GgufError`."""
        eyes = await self._eyes.guess(wish.projector)
        search = Search(await self.spans(paths), wish, machine, eyes.size)
        chosen = search.best()
        return Made(make_plan(name, search, chosen, Source.ARITHMETIC, eyes), chosen.cost)

    async def has_seen(self, projector: str) -> bool:
        """Whether it is known what a projector takes and that it works; there is nothing to know of none."""
        return await self._eyes.knows(projector)

    async def spans(self, paths: Sequence[Path]) -> Spans:
        """The layers of the model in `paths`, read once as long as the files stay the same.

        Raises:
            GgufError: A file is missing or no GGUF file.
        """
        key = await asyncio.to_thread(lambda: tuple(map(_stamp, paths)))
        if key not in self._profiles:
            self._profiles[key] = await asyncio.to_thread(lambda: Spans(read_profile(paths)))
        return self._profiles[key]

    async def _ask(
        self, path: Path, profile: Profile, options: LoadOptions, machine: Machine
    ) -> tuple[Buffers, ...] | Unknown:
        """What llama.cpp lays out with `options`, or why it would not."""
        if self._answers is None:
            self._answers = await asyncio.to_thread(self._load)
        key = _key(profile, options, machine.gpus)
        if key not in self._answers:
            answers = await self._prober.ask(Probe(str(path), machine.gpus, (options,)))
            (answer,) = answers.answers
            if isinstance(answer, Unknown):
                return answer
            self._answers[key] = answer.buffers
            await asyncio.to_thread(self._save, dict(self._answers))
        return self._answers[key]

    def _load(self) -> _Answers:
        return read_cache(self._cache_file, _Answers) or {}

    def _save(self, answers: _Answers) -> None:
        write_cache(self._cache_file, dict(list(answers.items())[-_KEPT:]))


def ram_bandwidth(cache: Path) -> float:
    """Bytes per second of this machine's RAM, measured once and kept in the folder `cache`."""
    file = cache / BANDWIDTH
    known = read_cache(file, float)
    if known is None:
        known = measure_ram_bandwidth()
        write_cache(file, known)
    return known


def make_plan(name: str, search: Search, chosen: Candidate, source: Source, eyes: Sees = BLIND) -> Plan:
    """Put what a `search` came to into words and numbers for everybody."""
    ram = chosen.uses[-1]
    own = ram.overhead_bytes - LIBRARY_BYTES
    anonymous = chosen.repacked + ram.kv_bytes + ram.compute_bytes + own
    return Plan(
        model=name,
        strategy=search.wish.strategy,
        options=chosen.options,
        fits=chosen.fits,
        reason=reason(search, chosen),
        devices=chosen.uses,
        source=source,
        anonymous_bytes=anonymous,
        page_cache_bytes=ram.weights_bytes - chosen.repacked,
        tokens_per_second=1 / chosen.pace.seconds if search.machine.measured else 0.0,
        shortfall_bytes=chosen.missing,
        verdict=verdict(search, chosen),
        projector=eyes.projector,
        blind=eyes.why,
    )


def _shares(chosen: Candidate, buffers: Sequence[Buffers]) -> list[Share]:
    return [
        Share(layers=use.layers, weights=b.weights, kv=b.kv, compute=b.compute, repacked=b.repacked)
        for use, b in zip(chosen.uses, buffers, strict=True)
    ]


def _tightened(machine: Machine, said: Candidate, real: Candidate) -> Machine:
    """The machine with as much less room as arithmetic was wrong by."""
    gaps = [max(0, r.total_bytes - s.total_bytes) for s, r in zip(said.uses, real.uses, strict=True)]
    *gpus, ram = (
        msgspec.structs.replace(device, free_bytes=max(0, device.free_bytes - gap))
        for device, gap in zip(machine.devices, gaps, strict=True)
    )
    return replaced(machine, gpus=tuple(gpus), ram=ram)


def _key(profile: Profile, options: LoadOptions, gpus: Sequence[DeviceSpec]) -> str:
    kinds = ",".join(gpu.kind for gpu in gpus)
    chosen = msgspec.json.encode(options).decode()
    return f"{backend_name()}|{profile.fingerprint}|{profile.size_bytes}|{kinds}|{chosen}"


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), status.st_size, status.st_mtime_ns)
