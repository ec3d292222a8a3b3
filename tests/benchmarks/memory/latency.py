"""How long a plan takes: remembered, new to a warm process, and from nothing."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import STARTER, bench_home
from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.memory.devices import parse_devices
from tui_chat.memory.placement import Wish

ROUNDS = 9
MACHINE = parse_devices("gpu:24GiB,gpu:24GiB,ram:64GiB")


def rows() -> Iterator[Row]:
    """Plan for SmolLM2 on a machine with two GPUs."""
    cached, known = asyncio.run(_warm())
    yield at_most("plan, cached: median", statistics.median(cached) * 1e3, "ms", 20)
    yield informs(
        "plan, another context of a model that is known: median", statistics.median(known) * 1e3, "ms"
    )
    cold = [asyncio.run(_cold()) for _ in range(ROUNDS)]
    yield at_most("plan, cold (new probe, empty cache): median", statistics.median(cold) * 1e3, "ms", 400)
    yield informs("tui-chat plan, the whole command, cold: median", _command() * 1e3, "ms")


async def _warm() -> tuple[list[float], list[float]]:
    """Seconds for a plan made before, and for one of a context that is new."""
    prober = Prober()
    with tempfile.TemporaryDirectory() as folder:
        planner = Planner(prober, Path(folder))
        await _seconds(planner, Wish())
        cached = [await _seconds(planner, Wish()) for _ in range(ROUNDS)]
        known = [await _seconds(planner, Wish(context=1024 * number)) for number in range(2, 2 + ROUNDS)]
    await prober.close()
    return cached, known


async def _cold() -> float:
    prober = Prober()
    with tempfile.TemporaryDirectory() as folder:
        seconds = await _seconds(Planner(prober, Path(folder)), Wish())
    await prober.close()
    return seconds


async def _seconds(planner: Planner, wish: Wish) -> float:
    started = time.perf_counter()
    await planner.plan("SmolLM2", [STARTER], wish, MACHINE)
    return time.perf_counter() - started


def _command() -> float:
    taken = []
    for _ in range(ROUNDS):
        with bench_home() as bench:
            started = time.perf_counter()
            done = bench.run("plan", "SmolLM2", "--devices", "gpu:24GiB,gpu:24GiB,ram:64GiB")
            taken.append(time.perf_counter() - started)
            assert done.returncode == 0, done.stderr
    return statistics.median(taken)
