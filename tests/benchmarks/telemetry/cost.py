"""What sampling takes of a core, what it takes from an answer, and what a driver that hangs does to one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import psutil

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import Bench, bench_home
from tests.telemetry.script import H200, Script, leading_to, make_driver
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest, LoadRequest, Turn
from tui_chat.wire.events import Delta, Settled

GPUS = tuple({**H200, "uuid": f"GPU-{n}", "process": [f"{4_000_000 + n} 7000000000"]} for n in range(8))
WATCHED_S = 10.0
TOKENS = 256
CONFIG = "[models]\nthreads = 1\n"
ROUNDS = 7
QUESTION = (Turn(Role.USER, "Write a long and detailed story about an old lighthouse keeper and the sea."),)


def rows() -> Iterator[Row]:
    """Measure with eight GPUs of a driver that plays scripts, read through NVIDIA's own binding."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as homes:
        script = Script(Path(folder) / "script")
        make_driver(Path(folder))
        script.play(*GPUS)
        without = homes.enter_context(bench_home(f"{CONFIG}[instruments]\nenabled = false\n"))
        asyncio.run(_start(without))
        reading = homes.enter_context(bench_home(CONFIG))
        os.environ.update(leading_to(Path(folder), script))
        asyncio.run(_start(reading))
        yield from asyncio.run(_measure(without, reading, script))


async def _start(bench: Bench) -> None:
    """Start an engine, and have everything warm: what it has read is asked again and again."""
    client = EngineClient(bench.paths.socket)
    await ensure_engine(client)
    await client.load(LoadRequest("SmolLM2"))
    await _gaps(client)
    await client.close()


async def _measure(without: Bench, reading: Bench, script: Script) -> list[Row]:
    plain, client = EngineClient(without.paths.socket), EngineClient(reading.paths.socket)
    idle = await _cpu_s(client)
    async with _watched(client):
        sampling = await _cpu_s(client)
        read = len((await client.telemetry()).gpus)
    ratios, well, hanging = [], [], []
    for number in range(ROUNDS):
        script.play(*GPUS)
        off = await _gaps(plain) if number % 2 else []
        async with _watched(client):
            on = await _gaps(client)
        off = off or await _gaps(plain)
        ratios.append(sum(on) / sum(off))
        well.append(max(on))
        script.play(*GPUS, hang_ms=5000)
        async with _watched(client):
            hanging.append(max(await _gaps(client)))
    await plain.close()
    await client.close()
    return [
        at_most("sampling 8 GPUs once a second, of one core", (sampling - idle) / WATCHED_S * 100, "%", 2.0),
        informs("GPUs that were read", read, "GPUs"),
        at_most(
            "an answer's time with 8 GPUs read and watched / without", statistics.median(ratios), "x", 1.01
        ),
        informs("longest wait for a token, driver well: median", statistics.median(well) * 1e3, "ms"),
        informs("longest wait for a token, driver hanging: median", statistics.median(hanging) * 1e3, "ms"),
        at_most("the latter over the former", statistics.median(hanging) / statistics.median(well), "x", 1.2),
    ]


@contextlib.asynccontextmanager
async def _watched(client: EngineClient) -> AsyncIterator[None]:
    """Meanwhile somebody watches, as a chat does."""

    async def watch() -> None:
        async for _ in client.instruments():
            pass

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _cpu_s(client: EngineClient) -> float:
    """What the engine's process takes of the processors in a while, in seconds."""
    engine = psutil.Process((await client.info()).pid)
    before = engine.cpu_times()
    await asyncio.sleep(WATCHED_S)
    after = engine.cpu_times()
    return after.user + after.system - before.user - before.system


async def _gaps(client: EngineClient) -> list[float]:
    """Seconds between the deltas of an answer, as they arrive at a client."""
    sampling = Sampling(temperature=0.0, max_tokens=TOKENS)
    request = GenerateRequest(id=new_id(), model="SmolLM2", turns=QUESTION, sampling=sampling)
    await client.generate(request)
    seen = []
    async for numbered in client.follow(request.id):
        if isinstance(numbered.event, Delta):
            seen.append(perf_counter())
        elif isinstance(numbered.event, Settled):
            break
    return [b - a for a, b in pairwise(seen)]
