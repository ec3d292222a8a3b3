"""Esc to silence: from the key in the real terminal to the moment the worker has stopped computing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing

from tests.benchmarks.harness import Row, at_most
from tests.benchmarks.places import Bench, bench_home
from tests.benchmarks.terminal import Terminal
from tui_chat.client.engine import EngineClient
from tui_chat.wire.api import GenerationState

ROUNDS = 20
NEW_CHAT = "\x0e"  # ctrl+n
PASTE = "\x1b[200~{}\x1b[201~"


def rows() -> Iterator[Row]:
    """Press Esc during decode and during the prefill of 2,000 tokens, 20 times each."""
    with bench_home() as bench:
        decode = sorted(asyncio.run(_measure(bench, GenerationState.DECODING, "Write a very long story.")))
        words = " ".join(f"word{n}" for n in range(700))
        prefill = sorted(asyncio.run(_measure(bench, GenerationState.PREFILL, words)))
    yield at_most("Esc to silence during decode, p95", decode[int(ROUNDS * 0.95) - 1], "ms", 50)
    yield at_most(
        "Esc to silence during a 2,000-token prefill, p95", prefill[int(ROUNDS * 0.95) - 1], "ms", 50
    )


async def _measure(bench: Bench, state: GenerationState, text: str) -> list[float]:
    engine = EngineClient(bench.paths.socket)
    with Terminal.chat(env=bench.env) as terminal:
        terminal.pump_for(1.0)
        took = []
        for number in range(ROUNDS):
            terminal.write(NEW_CHAT)
            terminal.pump_for(0.3)
            terminal.write(PASTE.format(f"{number} {text}"))
            terminal.pump_for(0.2)
            terminal.write("\r")
            took.append(await _one(engine, terminal, state) * 1e3)
            terminal.pump_for(0.3)
    await engine.close()
    return took


async def _one(engine: EngineClient, terminal: Terminal, state: GenerationState) -> float:
    """Wait until the answer is in `state`, press Esc, wait until the engine says that it has settled."""
    pressed = 0.0
    async with asyncio.timeout(60), aclosing(engine.watch()) as changes:
        async for change in changes:
            running = change.generations
            if not pressed and running and running[0].state is state:
                terminal.pump_for(0.15)
                pressed = terminal.write("\x1b")
            elif pressed and not running:
                return time.perf_counter() - pressed
            terminal.pump(0.001)
    raise RuntimeError("the engine left")
