"""How long a switch to a model in memory takes: from Enter in the real app, and from a client's request."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import Bench, bench_home, copies
from tests.benchmarks.terminal import Terminal
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest, LoadRequest, Turn
from tui_chat.wire.events import Delta, Settled

ROUNDS = 20
MODELS = ("first", "second")
F2 = "\x1bOQ"
ONE = Sampling(temperature=0, max_tokens=1)
QUESTION = "Name three colours."


def rows() -> Iterator[Row]:
    """Switch to and fro between two models in memory."""
    with bench_home() as bench:
        copies(bench, *MODELS)
        asked, first = asyncio.run(_client(bench))
        pressed = sorted(_keys(bench))
    yield at_most("switch to a resident model, Enter to ready: median", statistics.median(pressed), "ms", 100)
    yield informs("the same: worst", pressed[-1], "ms")
    yield at_most("the same as a client asks for it: median", statistics.median(asked), "ms", 100)
    yield informs("first token of the next answer there: median", statistics.median(first), "ms")


def _keys(bench: Bench) -> Iterator[float]:
    """Milliseconds from Enter to the chat that names the model and the context that it is ready with."""
    with Terminal.chat(env=bench.env) as terminal:
        terminal.wait_shown("answers here")
        terminal.pump_for(1.0)
        for number in range(ROUNDS):
            name = MODELS[number % 2]
            terminal.write(F2)
            terminal.wait_shown("type to filter")
            terminal.pump_for(0.5)
            terminal.write(name)
            terminal.wait_shown("nothing has to be loaded")
            terminal.pump_for(0.5)
            pressed = terminal.write("\r")
            terminal.wait_shown(f"{name} Q4_1 answers here")
            yield (terminal.wait_shown("ctx 8k") - pressed) * 1e3
            terminal.pump_for(0.3)


async def _client(bench: Bench) -> tuple[list[float], list[float]]:
    """Milliseconds for a request to have a model ready, and for the first token of an answer there."""
    client = EngineClient(bench.paths.socket)
    await ensure_engine(client)
    for name in MODELS:
        await client.load(LoadRequest(name, context=8192))
        await _first_token(client, name)
    asked, first = [], []
    for number in range(ROUNDS):
        name = MODELS[number % 2]
        started = time.perf_counter()
        await client.load(LoadRequest(name))
        asked.append((time.perf_counter() - started) * 1e3)
        first.append(await _first_token(client, name))
    await client.close()
    return asked, first


async def _first_token(client: EngineClient, model: str) -> float:
    request = GenerateRequest(id=new_id(), model=model, turns=(Turn(Role.USER, QUESTION),), sampling=ONE)
    started, first = time.perf_counter(), 0.0
    await client.generate(request)
    async for numbered in client.follow(request.id):
        if isinstance(numbered.event, Delta):
            first = first or (time.perf_counter() - started) * 1e3
        elif isinstance(numbered.event, Settled):
            break
    return first
