"""Our arithmetic against llama.cpp's own layout, on devices that stand in for GPUs."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import Row, at_least, at_most, informs
from tests.benchmarks.memory.files import published_files, zoo_files
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Buffers, Probe, Probed
from tui_chat.memory.forecast import Share, forecast
from tui_chat.memory.profile import Profile, read_profile
from tui_chat.wire.plan import ALL_LAYERS, DeviceKind, DeviceSpec, KvType, LoadOptions

CONTEXTS = (5000, 32768)
KV_TYPES = (KvType.F16, KvType.Q8_0, KvType.Q4_0)
SEQUENCES = 4
GATED = frozenset({"llama", "qwen2", "qwen3", "phi3"})
"""Architectures that the formula of compute buffers is made for, among the published sizes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One way to load one model: as forecast, and as llama.cpp lays it out."""

    profile: Profile
    options: LoadOptions
    forecast: tuple[Share, ...]
    real: tuple[Buffers, ...]

    @property
    def bytes_off(self) -> int:
        """The most bytes of weights, KV or repacked weights that any device differs by."""
        return max(
            max(
                abs(share.weights - real.weights),
                abs(share.kv - real.kv),
                abs(share.repacked - real.repacked),
            )
            for share, real in zip(self.forecast, self.real, strict=True)
        )

    @property
    def compute_error(self) -> float:
        """How far RAM's compute buffer is from the forecast, as a share of it."""
        return self.forecast[-1].compute / self.real[-1].compute - 1


def rows() -> Iterator[Row]:
    """Compare every architecture in every way to load it, then the formula for compute buffers."""
    with zoo_files() as zoo, published_files() as published:
        files = [*zoo, *published, STARTER]
        spread = asyncio.run(compare(files, spread_options, (DeviceKind.GPU, DeviceKind.CUDA)))
        alone = asyncio.run(compare([*published, STARTER], context_options, ()))
    architectures = {each.profile.architecture for each in spread}
    yield at_least("architectures compared", len(architectures), "", 25)
    yield informs(f"ways to load {len(files)} models of them, each on 2 GPUs and RAM", len(spread), "")
    worst = max(each.bytes_off for each in spread)
    yield at_most("weights, KV: most bytes off on any device in any of them", worst, "bytes", 0)
    dense = [abs(each.compute_error) for each in alone if is_dense(each.profile)]
    yield at_most("compute formula, dense models of published sizes: worst", max(dense) * 100, "%", 2)
    others = [abs(each.compute_error) for each in alone if not is_dense(each.profile)]
    yield informs("compute formula, the others (plans ask llama.cpp): median", _percent(others), "%")
    yield informs("compute formula, the others: worst", max(others) * 100, "%")


def spread_options(layers: int) -> list[LoadOptions]:
    """Every context with every KV type and every split, and what else moves bytes."""
    offloads = (
        {"gpu_layers": 0},
        {"gpu_layers": layers // 2, "split": (1.0, 1.0)},
        {"gpu_layers": ALL_LAYERS, "split": (3.0, 1.0)},
        {"gpu_layers": ALL_LAYERS, "split": (1.0, 2.0), "cpu_experts": 2},
    )
    grid = [
        LoadOptions(context=context, kv_type=kv_type, **offload)
        for context, kv_type, offload in itertools.product(CONTEXTS, KV_TYPES, offloads)
    ]
    more = LoadOptions(context=8192, ubatch=128, sequences=SEQUENCES, gpu_layers=layers, split=(1.0, 1.0))
    few = LoadOptions(context=4096, gpu_layers=3, split=(1.0, 2.0))
    return [*grid, more, few, LoadOptions(context=8192, ubatch=1024)]


def context_options(_: int) -> list[LoadOptions]:
    """What decides the size of a compute buffer where all layers are on one device."""
    return [
        LoadOptions(context=context, ubatch=ubatch, kv_type=kv_type)
        for context, ubatch, kv_type in itertools.product(
            (2048, 8192, 32768), (128, 512), (KvType.F16, KvType.Q8_0)
        )
    ]


def is_dense(profile: Profile) -> bool:
    """Whether the formula claims to hold."""
    return profile.architecture in GATED and not profile.experts


async def compare(files, options, kinds: Sequence[DeviceKind]) -> list[Compared]:
    """Forecast and ask: with two GPUs of each of `kinds`, or with RAM alone where there are none."""
    prober = Prober()
    try:
        return [
            each
            for path in files
            for gpus in [stand_ins(kind) for kind in kinds] or [()]
            for each in await _compare(prober, path, options, gpus)
        ]
    finally:
        await prober.close()


async def _compare(prober: Prober, path: Path, options, gpus: Sequence[DeviceSpec]) -> list[Compared]:
    profile = read_profile([path])
    wanted = tuple(options(profile.layer_count))
    answers = await prober.ask(Probe(str(path), tuple(gpus), wanted))
    kinds = [gpu.kind for gpu in gpus]
    return [
        Compared(profile, each, forecast(profile, each, kinds), answer.buffers)
        for each, answer in zip(wanted, answers.answers, strict=True)
        if _is_known(answer, path, each)
    ]


def _is_known(answer, path: Path, options: LoadOptions) -> bool:
    """A quantised cache needs rows of whole blocks; anything else llama.cpp must take."""
    if isinstance(answer, Probed):
        return True
    assert options.kv_type is not KvType.F16, f"{path.stem}, {options}: {answer.why}"
    return False


def stand_ins(kind: DeviceKind, count: int = 2) -> tuple[DeviceSpec, ...]:
    """Describe `count` GPUs that everything fits on."""
    size = 1 << 40
    return tuple(
        DeviceSpec(name=f"gpu{number}", kind=kind, total_bytes=size, free_bytes=size)
        for number in range(count)
    )


def _percent(shares: Sequence[float]) -> float:
    return statistics.median(shares) * 100
