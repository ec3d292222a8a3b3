"""The KV cache follows the branch: siblings, regenerating, trimmed contexts, restarts; and it is right."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from tests.benchmarks.harness import Row, at_least, at_most, informs
from tests.benchmarks.places import ROOT, STARTER, Bench, bench_home
from tests.worker import tiny
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import LoadPlan
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling, Usage
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest, LoadRequest, Turn
from tui_chat.wire.events import Delta, Settled
from tui_chat.wire.plan import LoadOptions

ROUNDS = 3
SWITCHES = 9
WALKS = 300
WALK = ROOT / "tests" / "worker" / "walk.py"
MODELS: dict[str, Callable[[Path], None]] = {
    "llama": tiny.write_plain,
    "gemma3 with a sliding window": tiny.write_sliding_window,
    "mamba2": tiny.write_recurrent,
}
ONE = Sampling(temperature=0, max_tokens=1)
ANSWER = Sampling(temperature=0, max_tokens=64)
PATIENCE_S = 60

Turns = tuple[Turn, ...]


def rows() -> Iterator[Row]:
    """Measure in turn what is compared, so that a busy machine slows both sides down."""
    yield from asyncio.run(_in_a_worker())
    yield from _restarted()
    yield from _walked()


async def _in_a_worker() -> list[Row]:
    with tempfile.TemporaryDirectory() as logs:
        async with AsyncExitStack() as stack:
            siblings = await _siblings(await _load(stack, Path(logs), 4096))
            again = await _regenerate(await _load(stack, Path(logs), 4096))
            trims = [await _trim(await _load(stack, Path(logs), 2048)) for _ in range(ROUNDS)]
    trimmed, before, read = (statistics.median(part) for part in zip(*trims, strict=True))
    ratio = statistics.median(trim[0] / trim[1] for trim in trims)
    return [
        at_most("first token on a sibling branch / going on where one is", siblings, "x", 1.2),
        at_most("regenerate at 2,000 tokens: evaluated again", again, "tokens", 8),
        at_most("turn on which the context is trimmed, TTFT / the turn before", ratio, "x", 3),
        informs("the trimmed turn", trimmed, "ms"),
        informs("the turn before", before, "ms"),
        informs("the trimmed turn, read anew", read, "ms"),
    ]


async def _load(stack: AsyncExitStack, logs: Path, context: int) -> LlamaCppModel:
    plan = LoadPlan(path=STARTER, options=LoadOptions(context=context))
    model = await LlamaCppBackend(logs).load(plan, lambda _: None)
    stack.push_async_callback(model.close)
    return model


async def _siblings(model: LlamaCppModel) -> float:
    """How many times as long the first token takes after a switch to the other of two branches."""
    root = _said(_list("root", 100, 950))
    branches = [
        (*root, Turn(Role.ASSISTANT, "Yes."), *_said(_list("branch", first, 1000))) for first in (400, 700)
    ]
    for branch in branches:
        _, usage = await _first_token(model, branch)
        assert 1900 < usage.prompt_tokens < 2200, usage
    ratios = []
    for number in range(SWITCHES):
        there, here = branches[number % 2], branches[1 - number % 2]
        went_on, _ = await _first_token(model, _asked(here, f"And {number}?"))
        switched, usage = await _first_token(model, _asked(there, f"And {number}?"))
        assert usage.prompt_tokens - usage.reused_tokens < 40, usage
        ratios.append(switched / went_on)
    return statistics.median(ratios)


async def _regenerate(model: LlamaCppModel) -> int:
    question = _said(_list("all", 100, 1950))
    await _first_token(model, question, ANSWER)
    _, usage = await _first_token(model, question, ANSWER)
    return usage.prompt_tokens - usage.reused_tokens


async def _trim(model: LlamaCppModel) -> tuple[float, float, float]:
    """Milliseconds to the first token: of a turn that follows dropped ones, of the turn before, read anew."""
    turns: Turns = (Turn(Role.SYSTEM, "You keep lists."),)
    for number in range(9):
        turns = (*turns, *_said(_list("list", 100 + 30 * number, 150)), Turn(Role.ASSISTANT, "I have it."))
    await _first_token(model, turns[:-1])
    turns = (*turns, *_said("Which of them is the longest, and which of them is the shortest?"))
    before, usage = await _first_token(model, turns)
    assert 1400 < usage.prompt_tokens < 1700, usage
    answered = (*turns, Turn(Role.ASSISTANT, "The"))
    kept = (turns[0], *answered[7:], *_said("What comes first on each of them, and what last of all?"))
    trimmed, usage = await _first_token(model, kept, shift=True)
    assert usage.shifted_tokens > 800, usage
    read, usage = await _first_token(model, kept)
    assert usage.reused_tokens < 100, usage
    return trimmed, before, read


async def _first_token(
    model: LlamaCppModel, turns: Turns, sampling: Sampling = ONE, *, shift: bool = False
) -> tuple[float, Usage]:
    started, first, usage = time.perf_counter(), 0.0, Usage()
    async for event in model.generate(new_id(), turns, sampling, shift=shift):
        if isinstance(event, Delta):
            first = first or _since(started)
        elif isinstance(event, Settled):
            usage = event.usage
    return first, usage


def _restarted() -> Iterator[Row]:
    with bench_home("[engine]\nidle_exit = 3600\n") as bench:
        rounds = [asyncio.run(_restart(bench, number)) for number in range(ROUNDS)]
    sooner = statistics.median(read / resumed for read, resumed in rounds)
    yield at_least("first token after a restart of everything, sooner than read anew", sooner, "x", 20)
    yield informs("first token after a restart of everything", statistics.median(r[1] for r in rounds), "ms")


async def _restart(bench: Bench, number: int) -> tuple[float, float]:
    """Milliseconds to read 2,000 tokens, and to the first token after them when they come from the disk."""
    turns = _said(_list(f"round {number}", 100, 1950))
    client = EngineClient(bench.paths.socket)
    await ensure_engine(client)
    await client.load(LoadRequest(STARTER.stem, context=4096))
    read = await _asked_of(client, turns, f"session-{number}")
    await _until_parked(client, number + 1)
    await client.close()
    bench.run("engine", "stop", "--force")
    client = EngineClient(bench.paths.socket)
    await ensure_engine(client)
    await client.load(LoadRequest(STARTER.stem, context=4096))
    resumed = await _asked_of(client, turns, f"session-{number}")
    await client.close()
    return read, resumed


async def _until_parked(client: EngineClient, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len((await client.cache()).entries) < count:
        if time.monotonic() > deadline:
            raise TimeoutError("nothing was parked")
        await asyncio.sleep(0.1)


async def _asked_of(client: EngineClient, turns: Turns, session: str) -> float:
    request = GenerateRequest(id=new_id(), model=STARTER.stem, turns=turns, sampling=ONE, session=session)
    started, first = time.perf_counter(), 0.0
    await client.generate(request)
    async for numbered in client.follow(request.id):
        if isinstance(numbered.event, Delta):
            first = first or _since(started)
        elif isinstance(numbered.event, Settled):
            break
    return first


def _walked() -> Iterator[Row]:
    """Walk over trees as the tests do, and compare with fresh evaluations."""
    for name, write in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            model, park = Path(folder) / "tiny.gguf", Path(folder) / "tiny.park"
            write(model)
            command = [sys.executable, WALK, model, "1", str(WALKS), park]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        report = json.loads(done.stdout)
        error, noise = report["error"], report["noise"]
        yield at_most(
            f"logits after {WALKS} walks, {name}: error / other batches' noise", error / noise, "x", 1
        )
        yield informs("the largest error of a logit", error, "")


def _said(text: str) -> Turns:
    return (Turn(Role.USER, text),)


def _asked(turns: Turns, text: str) -> Turns:
    return (*turns, Turn(Role.ASSISTANT, "Yes."), *_said(text))


def _list(name: str, first: int, tokens: int) -> str:
    """Text of about that many tokens: numbers of three digits from `first` on."""
    return f"{name}: " + " ".join(f"item {number}" for number in range(first, first + tokens // 5))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3
