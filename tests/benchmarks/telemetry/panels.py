"""What the panels take of a core beside the sampling, and what a driver that hangs does to a key press."""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import Bench, bench_home
from tests.benchmarks.telemetry.cost import GPUS
from tests.benchmarks.terminal import Terminal
from tests.telemetry.script import Script, leading_to, make_driver
from tui_chat.client.launch import recorded_pid

IDLE_S = 15.0
KEYS = 60
RARE = [chr(0x180 + n) for n in range(0x50)]


def rows() -> Iterator[Row]:
    """Open the real chat at 120x40 on an engine that reads eight GPUs, and on one that reads nothing."""
    with tempfile.TemporaryDirectory() as folder:
        make_driver(Path(folder))
        script = Script(Path(folder) / "script")
        script.play(*GPUS)
        with bench_home("[instruments]\nenabled = false\n[ui]\ninstruments = false\n") as bench:
            chat, engine, _ = _use(bench, bench.env)
        with bench_home() as bench:
            env = bench.env | leading_to(Path(folder), script)
            chat_on, engine_on, well = _use(bench, env)
            script.play(*GPUS, hang_ms=5000)
            _, _, hanging = _use(bench, env)
    panels, sampling = chat_on - chat, engine_on - engine
    yield informs("an idle chat that shows no panels, of one core", chat, "%")
    yield informs("its panels with 8 GPUs, of one core", panels, "%")
    yield at_most("panels and sampling of 8 GPUs, of one core", panels + sampling, "%", 2.0)
    yield informs("key to paint, driver well: median", statistics.median(well), "ms")
    yield informs("key to paint, driver hanging: median", statistics.median(hanging), "ms")
    yield at_most(
        "the latter over the former", statistics.median(hanging) / statistics.median(well), "x", 1.2
    )


def _use(bench: Bench, env: dict[str, str]) -> tuple[float, float, list[float]]:
    """Open a chat, leave it alone, then type: % of a core for chat and engine, and ms from key to paint."""
    random_ = random.Random(4)
    latencies = []
    with Terminal.chat(env=env) as terminal:
        terminal.wait_for("help")
        terminal.pump_for(4.0)
        engine = recorded_pid(bench.paths.socket)
        assert engine is not None, "the chat has started it"
        terminal.write("\x15")  # ctrl+u: what was typed before is kept as a draft
        terminal.pump_for(1.0)
        before = _cpu_s(terminal.pid), _cpu_s(engine)
        terminal.pump_for(IDLE_S)
        taken = _cpu_s(terminal.pid) - before[0], _cpu_s(engine) - before[1]
        for number in range(KEYS):
            terminal.pump_for(random_.uniform(0.05, 0.15))
            letter = RARE[number % len(RARE)]
            pressed = terminal.write(letter)
            latencies.append((terminal.wait_for(letter) - pressed) * 1e3)
    return taken[0] / IDLE_S * 100, taken[1] / IDLE_S * 100, latencies


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
