"""How long a person waits for the first sign of life."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import TUI_CHAT, Bench, bench_home
from tests.benchmarks.terminal import Terminal
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import LoadRequest

ROUNDS = 11
MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("enter")
Minimal().run()
"""


def rows() -> Iterator[Row]:
    """Measure `--version`, the first paint of the chat, and the first token of `ask`."""
    with bench_home() as bench:
        yield at_most("tui-chat --version", _median(_version, bench), "ms", 120)
        bench.run("engine", "start")
        yield at_most("tui-chat start to first paint", _median(_first_paint, bench), "ms", 250)
        yield informs("a minimal Textual app on this machine, the same way", _median(_minimal, bench), "ms")
        asyncio.run(_load(bench))
        yield at_most("tui-chat ask, start to first token, model resident", _median(_ask, bench), "ms", 350)


def _median(measure, bench: Bench) -> float:
    measure(bench)
    return statistics.median(measure(bench) for _ in range(ROUNDS)) * 1e3


def _version(bench: Bench) -> float:
    started = time.perf_counter()
    bench.run("--version")
    return time.perf_counter() - started


def _first_paint(bench: Bench) -> float:
    with Terminal.chat(env=bench.env) as terminal:
        painted = terminal.wait_for("enter")
        terminal.pump_for(1.0)
        return painted - terminal.started


def _minimal(bench: Bench) -> float:
    with Terminal([sys.executable, "-c", MINIMAL], bench.env) as terminal:
        painted = terminal.wait_for("enter")
        terminal.pump_for(0.5)
        return painted - terminal.started


async def _load(bench: Bench) -> None:
    engine = EngineClient(bench.paths.socket)
    await ensure_engine(engine)
    await engine.load(LoadRequest("SmolLM2"))
    await engine.close()


def _ask(bench: Bench) -> float:
    started = time.perf_counter()
    command = [TUI_CHAT, "ask", "Name a colour.", "--max-tokens", "4"]
    with subprocess.Popen(
        command, env=bench.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        first = time.perf_counter() - started
        process.stdout.read()
    return first
