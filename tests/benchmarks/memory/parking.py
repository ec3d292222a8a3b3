"""What parking saves and resizing costs: a conversation of 2,000 tokens, with real workers."""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from tests.benchmarks.harness import Row, at_least, at_most, informs
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import LoadPlan
from tui_chat.chat.model import Role, Sampling
from tui_chat.memory.parkfile import ParkLabel
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Settled
from tui_chat.wire.plan import LoadOptions

ROUNDS = 5
TOKENS = 2000
CACHE_8K = 180 << 20
"""Bytes of SmolLM2's KV cache for 8,192 tokens."""
ONE = Sampling(temperature=0, max_tokens=1)
LABEL = ParkLabel("SmolLM2")
TURNS = (Turn(Role.USER, " ".join(f"item {number}" for number in range(TOKENS // 5 + 35))),)


def rows() -> Iterator[Row]:
    """Measure in turn, so that a busy machine slows both sides down."""
    with tempfile.TemporaryDirectory() as folder:
        rounds = [asyncio.run(_round(Path(folder))) for _ in range(ROUNDS)]
        grown = [ms for _ in range(ROUNDS) for ms in asyncio.run(_grow(Path(folder)))]
    yield informs("tokens of the parked conversation", rounds[0]["tokens"], "tokens")
    yield at_least(
        "first token of a parked conversation, sooner than read anew",
        _median(r["prefill"] / r["return"] for r in rounds),
        "x",
        20,
    )
    yield at_least(
        "the same from a model that is not loaded, loading included on both sides",
        _median((r["load"] + r["prefill"]) / (r["load"] + r["return"]) for r in rounds),
        "x",
        1,
    )
    yield informs(
        "first token of a parked conversation, loading included",
        _median(r["load"] + r["return"] for r in rounds),
        "ms",
    )
    yield informs("parking it", _median(r["park"] for r in rounds), "ms")
    yield informs("restoring it, proof included", _median(r["restore"] for r in rounds), "ms")
    yield informs("its size", rounds[0]["size"] / 2**20, "MiB")
    yield at_most("grow the context 2k to 8k with the cache kept", statistics.median(grown), "ms", 150)
    zeroed = statistics.median(_zero(CACHE_8K) for _ in range(ROUNDS))
    yield informs("of it the kernel takes to hand out so much memory, zeroed", zeroed, "ms")


def _zero(size: int) -> float:
    """Milliseconds to touch so many bytes that a process has not had before."""
    with mmap.mmap(-1, size) as room:
        part = (ctypes.c_char * size).from_buffer(room)
        started = time.perf_counter()
        ctypes.memset(part, 0, size)
        taken = _since(started)
        del part
    return taken


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


async def _load(stack: AsyncExitStack, logs: Path, context: int) -> LlamaCppModel:
    plan = LoadPlan(path=STARTER, options=LoadOptions(context=context))
    model = await LlamaCppBackend(logs).load(plan, lambda _: None)
    stack.push_async_callback(model.close)
    return model


async def _round(folder: Path) -> dict[str, float]:
    """Read a conversation, park it, and return to it in a fresh process; all in ms."""
    park = folder / "a.park"
    park.write_bytes(b"")
    async with AsyncExitStack() as stack:
        model = await _load(stack, folder, 4096)
        prefill, tokens = await _first_token(model)
        started = time.perf_counter()
        await model.park(str(park), LABEL)
        parked = _since(started)
    async with AsyncExitStack() as stack:
        model = await _load(stack, folder, 4096)
        load = model.description.load_ms
        started = time.perf_counter()
        await model.restore(str(park))
        restored = _since(started)
        first, _ = await _first_token(model)
    return {
        "prefill": prefill,
        "tokens": tokens,
        "park": parked,
        "load": load,
        "restore": restored,
        "return": restored + first,
        "size": park.stat().st_size,
    }


async def _grow(folder: Path) -> list[float]:
    """Grow a context that holds 1,000 tokens, a few times, in ms as its host waits for it."""
    took = []
    async with AsyncExitStack() as stack:
        model = await _load(stack, folder, 2048)
        turns = (Turn(Role.USER, TURNS[0].text[: len(TURNS[0].text) // 2]),)
        await _first_token(model, turns)
        for context in (8192, 2048, 8192, 2048, 8192):
            options = msgspec.structs.replace(model.description.options, context=context)
            started = time.perf_counter()
            kept = await model.resize(options)
            if context == 8192:
                took.append(_since(started))
            if kept < TOKENS // 2 - 50:
                raise RuntimeError(f"only {kept} tokens were kept")
    return took


async def _first_token(model: LlamaCppModel, turns: tuple[Turn, ...] = TURNS) -> tuple[float, int]:
    """(ms from the request to the first text, tokens of the prompt)."""
    started, first, tokens = time.perf_counter(), 0.0, 0
    async for event in model.generate("benchmark", turns, ONE):
        if isinstance(event, Delta):
            first = first or _since(started)
        elif isinstance(event, Settled):
            tokens = event.usage.prompt_tokens
    return first, tokens


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3
