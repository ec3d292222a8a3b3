"""What the engine and the screen cost: tokens per second and first token, against a bare loop."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.benchmarks.harness import Row, at_least, at_most, informs
from tests.benchmarks.places import STARTER, Bench, bench_home
from tests.benchmarks.terminal import Terminal
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling, Session
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest, LoadRequest, Turn
from tui_chat.wire.events import Delta, Settled

TOKENS = 256
ROUNDS = 7
PROMPT = "Write a long and detailed story about an old lighthouse keeper and the sea."
BARE = Path(__file__).with_name("bare_loop.py")
CONFIG = f"[sampling]\nmax_tokens = {TOKENS}\nseed = 1\n"


def rows() -> Iterator[Row]:
    """Measure bare loop, engine and screen in turn, and compare within each round."""
    with bench_home(CONFIG) as bench:
        asyncio.run(_warm(bench))
        rounds = [_round(bench, number) for number in range(ROUNDS)]
    yield at_least(
        "tok/s of an engine client / bare loop", _median(r["engine"] / r["bare"] for r in rounds), "x", 0.95
    )
    yield at_least(
        "tok/s with the screen open and painting / bare loop",
        _median(r["screen"] / r["bare"] for r in rounds),
        "x",
        0.90,
    )
    yield at_most(
        "added time to first token, warm model", _median(r["ttft"] - r["bare_ttft"] for r in rounds), "ms", 30
    )
    yield informs("bare loop", _median(r["bare"] for r in rounds), "tok/s")


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


def _round(bench: Bench, number: int) -> dict[str, float]:
    bare = json.loads(
        subprocess.run(
            [sys.executable, str(BARE), str(STARTER), "--tokens", str(TOKENS), "--context", "8192"],
            capture_output=True,
            check=True,
        ).stdout
    )
    client = asyncio.run(_client(bench, number))
    return {
        "bare": bare["decode_tps"],
        "bare_ttft": bare["ttft_ms"],
        "engine": client[0],
        "ttft": client[1],
        "screen": _screen(bench, number),
    }


async def _warm(bench: Bench) -> None:
    engine = EngineClient(bench.paths.socket)
    await ensure_engine(engine)
    await engine.load(LoadRequest("SmolLM2"))
    await engine.close()


async def _client(bench: Bench, number: int) -> tuple[float, float]:
    """(tokens/s between first and last text seen, ms from the request to the first) at a client."""
    engine = EngineClient(bench.paths.socket)
    await engine.info()
    # Another system prompt first, so that nothing of the prompt is in the KV cache, as for the bare loop.
    await _generate(engine, "forget", 1, f"Round {number}.")
    started = time.perf_counter()
    first, last, tokens = await _generate(engine, PROMPT, TOKENS, "")
    await engine.close()
    return (tokens - 1) / (last - first), (first - started) * 1e3


async def _generate(engine: EngineClient, prompt: str, limit: int, system: str) -> tuple[float, float, int]:
    turns = ((Turn(Role.SYSTEM, system),) if system else ()) + (Turn(Role.USER, prompt),)
    sampling = Sampling(max_tokens=limit, seed=1)
    request = GenerateRequest(id=new_id(), model="SmolLM2", turns=turns, sampling=sampling)
    await engine.generate(request)
    first, last, tokens = 0.0, 0.0, 0
    async for numbered in engine.follow(request.id):
        if isinstance(numbered.event, Delta):
            last = time.perf_counter()
            first = first or last
            tokens += numbered.event.tokens
        elif isinstance(numbered.event, Settled):
            break
    return first, last, tokens


def _screen(bench: Bench, number: int) -> float:
    """Tokens/s of an answer that the real screen shows while it is written, by the worker's own clock."""
    before = set(bench.paths.sessions.glob("*.json"))
    with Terminal.chat(env=bench.env) as terminal:
        terminal.pump_for(1.0)
        terminal.write(f"{PROMPT} ({number})\r")
        deadline = time.perf_counter() + 120
        while time.perf_counter() < deadline:
            terminal.pump_for(0.3)
            for file in set(bench.paths.sessions.glob("*.json")) - before:
                answer = msgspec.json.decode(file.read_bytes(), type=Session).messages[-1].answer
                if answer and answer.timings.decode_tps:
                    return answer.timings.decode_tps
    raise TimeoutError("the screen's answer did not end")
