"""Forecast and probe against what llama.cpp really allocates when it spreads a model over two devices."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.memory.allocated import Job, Remote, allocate
from tests.benchmarks.memory.exactness import stand_ins
from tests.benchmarks.memory.files import zoo_files
from tests.benchmarks.memory.rpc import NoLabError, build, serving
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Buffers, Probe, Probed
from tui_chat.memory.forecast import Share, forecast
from tui_chat.memory.profile import read_profile
from tui_chat.wire.plan import ALL_LAYERS, DeviceKind, KvType, LoadOptions

SPLITS = ((1.0, 1.0), (3.0, 1.0), (1.0, 2.0))
DEVICES = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """One load over two devices and RAM, three ways."""

    forecast: tuple[Share, ...]
    probed: tuple[Buffers, ...]
    real: tuple[Buffers, ...]


def rows() -> Iterator[Row]:
    """Load for real over RPC; one row says why where that is impossible."""
    try:
        library = build()
        with zoo_files() as zoo, serving(library, DEVICES) as endpoints:
            found = asyncio.run(_spreads(zoo, Remote(str(library), endpoints)))
    except NoLabError as error:
        yield informs(f"two devices: left out, {error}", 0, "loads")
        return
    yield informs("two devices: loads allocated, and compared", len(found), "")
    for who, pairs in (
        ("arithmetic", [pair for one in found for pair in _pairs(one.forecast, one)]),
        ("probe", [pair for one in found for pair in _pairs(one.probed, one)]),
    ):
        weights = max(abs(said.weights - real.weights) for said, real in pairs)
        yield at_most(f"two devices, weights: most bytes between {who} and allocation", weights, "bytes", 0)
        kv = max(abs(said.kv - real.kv) for said, real in pairs)
        yield at_most(f"two devices, KV: most bytes between {who} and allocation", kv, "bytes", 0)
    gpus = [pair for one in found for pair in _pairs(one.probed, one)[:DEVICES] if pair[1].compute]
    over = max(said.compute / real.compute - 1 for said, real in gpus)
    under = max(1 - said.compute / real.compute for said, real in gpus)
    yield at_most("two devices, compute buffers: most that the probe says too much", over * 100, "%", 4)
    yield at_most("two devices, compute buffers: most that it says too little", max(0.0, under) * 100, "%", 4)


def _pairs(said: Sequence[Share] | Sequence[Buffers], one: Spread) -> list[tuple[Share | Buffers, Buffers]]:
    return list(zip(said, one.real, strict=True))


def _options(layers: int) -> list[LoadOptions]:
    everything = [
        LoadOptions(context=2048, ubatch=128, gpu_layers=ALL_LAYERS, split=split, kv_type=kv_type)
        for split, kv_type in itertools.product(SPLITS, (KvType.F16, KvType.Q8_0))
    ]
    half = LoadOptions(context=4096, ubatch=64, gpu_layers=layers // 2, split=SPLITS[0])
    return [*everything, half]


async def _spreads(paths: Sequence[Path], remote: Remote) -> list[Spread]:
    prober = Prober()
    gpus = stand_ins(DeviceKind.GPU, DEVICES)
    found: list[Spread] = []
    for number, path in enumerate((STARTER, *paths)):
        profile = read_profile([path])
        options = _options(profile.layer_count)
        wanted = tuple(options if path is STARTER else options[number % len(options) :][:2])
        answers = (await prober.ask(Probe(str(path), gpus, wanted))).answers
        whole = path is STARTER  # to evaluate zeros can end a server
        jobs = [Job(path=str(path), options=each, remote=remote, evaluate=whole) for each in wanted]
        real = allocate(jobs)
        for options, answer, each in zip(wanted, answers, real, strict=True):
            assert isinstance(answer, Probed), f"{path.stem}, {options}: {answer.why}"
            assert not each.why, f"{path.stem}, {options}: {each.why}"
            shares = forecast(profile, options, [DeviceKind.GPU] * DEVICES)
            found.append(Spread(shares, answer.buffers, _aligned(each.buffers, remote.endpoints)))
    await prober.close()
    return found


def _aligned(buffers: tuple[Buffers, ...], endpoints: Sequence[str]) -> tuple[Buffers, ...]:
    """The devices in their order, also those with nothing on them, and RAM."""
    *found, ram = buffers
    return (
        *(
            next((each for each in found if endpoint in each.device), Buffers(device=endpoint))
            for endpoint in endpoints
        ),
        ram,
    )
