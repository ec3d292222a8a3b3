"""What a switch to a model that is not in memory costs beyond the load of its file.

Compared are the engine, from a client's request to a model that has evaluated its first token, and
llama-cpp-python's own load of the same file with the same options in a process that has imported it.
They take turns, so that a busy machine slows both sides down.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.memory.bare_load import bare_load
from tests.benchmarks.places import STARTER, Bench, bench_home, copies
from tui_chat.backends.llamacpp.worker.cores import usable_cores
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import LoadRequest, ModelState
from tui_chat.wire.plan import KvType, LoadOptions

ROUNDS = 9
OPTIONS = LoadOptions(context=8192)
ROOM_FOR_ONE = "[models]\nram_limit_mib = 560\n"
"""One SmolLM2 with a context of 8k takes 360 MiB of it, and a margin is left."""


def rows() -> Iterator[Row]:
    """Switch to a model beside another, and to one that has another evicted."""
    beside, bare = _measure("", evicts=False)
    instead, bare_too = _measure(ROOM_FOR_ONE, evicts=True)
    yield informs("bare load of SmolLM2 with 8k of context: median", statistics.median(bare + bare_too), "ms")
    yield informs("cold switch, request to ready: median", statistics.median(beside), "ms")
    yield at_most("cold switch: time over the bare load", _over(beside, bare), "ms", 300)
    yield informs("cold switch that evicts another model: median", statistics.median(instead), "ms")
    yield at_most("cold switch that evicts: time over the bare load", _over(instead, bare_too), "ms", 300)


def _over(ours: Sequence[float], bare: Sequence[float]) -> float:
    """Median of the differences within rounds."""
    return statistics.median(mine - its for mine, its in zip(ours, bare, strict=True))


def _measure(config: str, *, evicts: bool) -> tuple[list[float], list[float]]:
    with bench_home(config) as bench:
        copies(bench, "first", "second")
        return asyncio.run(_rounds(bench, evicts=evicts))


async def _rounds(bench: Bench, *, evicts: bool) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    bare: list[float] = []
    client = EngineClient(bench.paths.socket)
    await ensure_engine(client)
    await _load(client, "first")
    for number in range(ROUNDS):
        name = ("second", "first")[number % 2] if evicts else "second"
        bare.append(await asyncio.to_thread(bare_load, STARTER, OPTIONS, usable_cores()))
        ours.append(await _load(client, name))
        residents = {each.id for each in (await client.info()).residents}
        assert residents == ({name} if evicts else {"first", "second"}), residents
        if not evicts:
            await client.unload(name)
    await client.close()
    return ours, bare


async def _load(client: EngineClient, name: str) -> float:
    started = time.perf_counter()
    loaded = await client.load(LoadRequest(name, context=OPTIONS.context, kv_type=KvType.F16))
    taken = (time.perf_counter() - started) * 1e3
    assert loaded.state is ModelState.READY
    assert loaded.options == OPTIONS, loaded.options
    return taken
