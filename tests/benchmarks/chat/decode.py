"""What the worker costs beside llama.cpp itself: Python per token, speed, first token, cancelling."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from tests.benchmarks.harness import Row, at_least, at_most
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import LoadPlan
from tui_chat.chat.model import Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Event, Prefill, Settled
from tui_chat.wire.plan import LoadOptions

BARE = Path(__file__).with_name("bare_loop.py")
PROMPT = "Write a long and detailed story about an old lighthouse keeper and the sea."
TOKENS = 256
ROUNDS = 7
CANCELS = 20
CONTEXT = 4096
PYTHON_TOKENS = 1500
ENDLESS = Sampling(seed=1, max_tokens=PYTHON_TOKENS, stop=("never said",))


def rows() -> Iterator[Row]:
    """Measure with worker processes of their own; speed in turns with the bare loop, compared by round."""
    first, last = _python_per_token()
    yield at_most("Python per token in the worker, median of the first 10%", first * 1e3, "ms", 0.15)
    yield at_most("Python per token in the worker, median of the last 10%", last * 1e3, "ms", 0.15)
    yield at_most("Python per token, last 10% / first 10%", last / first, "x", 1.5)
    yield from asyncio.run(_through_a_worker())


async def _through_a_worker() -> list[Row]:
    with tempfile.TemporaryDirectory() as logs:
        plan = LoadPlan(path=STARTER, options=LoadOptions(context=CONTEXT))
        model = await LlamaCppBackend(Path(logs)).load(plan, lambda _: None)
        try:
            speeds = [await _side_by_side(model, number) for number in range(ROUNDS)]
            decode = [await _cancel(model, f"{n}. {PROMPT}", _in_decode) for n in range(CANCELS)]
            long = " ".join(f"word{n}" for n in range(620))
            prefill = [await _cancel(model, f"{n}. {long}", _in_prefill) for n in range(CANCELS)]
        finally:
            await model.close()
    return [
        at_least("tok/s of the worker / bare loop", _median(s[0] for s in speeds), "x", 0.97),
        at_most("added time to first token at the worker", _median(s[1] for s in speeds), "ms", 30),
        at_most("cancel to settled in decode, p95", _p95(decode) * 1e3, "ms", 50),
        at_most("cancel to settled in a 2,000-token prefill, p95", _p95(prefill) * 1e3, "ms", 50),
        Row("model load, for orientation", model.description.load_ms, "ms"),
    ]


async def _side_by_side(model: LlamaCppModel, number: int) -> tuple[float, float]:
    """(worker's tok/s over the bare loop's, added ms to the first token), the bare loop first or last."""
    if number % 2:
        bare, ours = await _bare(), await _ours(model)
    else:
        ours, bare = await _ours(model), await _bare()
    return ours[0] / bare["decode_tps"], ours[1] - bare["ttft_ms"]


async def _bare() -> dict[str, float]:
    command = [str(BARE), str(STARTER), "--tokens", str(TOKENS), "--context", str(CONTEXT)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    measured: dict[str, float] = json.loads(output)
    return measured


async def _ours(model: LlamaCppModel) -> tuple[float, float]:
    """(tok/s, ms to the first token), as seen on this side of the worker's socket."""
    forget = (Turn(Role.SYSTEM, "Forget."), Turn(Role.USER, "Nothing."))
    async for _ in model.generate("forget", forget, Sampling(max_tokens=1)):
        pass  # so that nothing of the prompt below is in the KV cache, as for the bare loop
    started, seen = perf_counter(), [0.0]
    first, tokens = 0.0, 0
    async for event in model.generate("timed", _user(PROMPT), Sampling(seed=1, max_tokens=TOKENS)):
        if isinstance(event, Delta):
            first = first or perf_counter()
            tokens += event.tokens
            seen.append(perf_counter())
    return (tokens - 1) / (seen[-1] - first), (first - started) * 1e3


async def _cancel(model: LlamaCppModel, text: str, ripe: Callable[[Event], bool]) -> float:
    """Seconds from cancelling, some time into whatever `ripe` waits for, to the end of the answer."""
    asked = 0.0
    later: asyncio.Task[float] | None = None
    async for event in model.generate("cancelled", _user(text), Sampling(max_tokens=2000, seed=1)):
        if later is None and ripe(event):
            later = asyncio.create_task(_cancel_soon(model))
        if isinstance(event, Settled):
            settled = perf_counter()
    if later is None:
        raise RuntimeError("the answer was over before it could be cancelled")
    asked = await later
    return settled - asked


async def _cancel_soon(model: LlamaCppModel) -> float:
    await asyncio.sleep(0.12)  # any moment inside an evaluation will do, and this is one
    asked = perf_counter()
    model.cancel("cancelled")
    return asked


def _in_decode(event: Event) -> bool:
    return isinstance(event, Delta)


def _in_prefill(event: Event) -> bool:
    return isinstance(event, Prefill) and event.done >= 512


def _user(text: str) -> tuple[Turn, ...]:
    return (Turn(Role.USER, text),)


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]


def _python_per_token() -> tuple[float, float]:
    """Seconds of Python per token: medians over the first and the last tenth of a long answer."""
    command = [sys.executable, "-m", f"{__name__}", str(STARTER)]
    done = subprocess.run(command, capture_output=True, check=True)
    steps: list[float] = json.loads(done.stdout)
    tenth = len(steps) // 10
    return statistics.median(steps[:tenth]), statistics.median(steps[-tenth:])


def _measure_python(path: str) -> None:
    """Generate in this process with the worker's own code, timing what is not llama.cpp; print as JSON.

    In the thread's own processor time, so that a busy machine does not count as Python.
    """
    from tui_chat.backends.llamacpp.abort import AbortFlags, create_flags
    from tui_chat.backends.llamacpp.messages import Generate, Happened, Load
    from tui_chat.backends.llamacpp.worker.generation import Generator
    from tui_chat.backends.llamacpp.worker.logs import NativeLog
    from tui_chat.backends.llamacpp.worker.model import load_model
    from tui_chat.backends.llamacpp.worker.native import lib
    from tui_chat.backends.llamacpp.worker.serve import Line

    spans: list[tuple[float, float]] = []

    def timed(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            started = thread_time()
            result = function(*arguments)
            spans.append((started, thread_time()))
            return result

        return call

    lib.llama_decode, lib.llama_sampler_sample = timed(lib.llama_decode), timed(lib.llama_sampler_sample)
    lib.llama_vocab_is_eog = lambda *_: False  # go on and on
    flag = AbortFlags(create_flags()).of(1)
    log = NativeLog()
    order = Load(
        path=path,
        options=LoadOptions(context=CONTEXT),
        threads=None,
        fingerprint="",
        weights="",
        checkpoint_bytes=0,
        backend="",
        checkpoint_floor=0,
    )
    model = load_model(order, log, lambda _: None)
    ours, theirs = socket.socketpair()
    drain = subprocess.Popen(["cat"], stdin=theirs, stdout=subprocess.DEVNULL)
    line = Line(ours)
    model.cache.arm(flag)
    spans.clear()
    asked = Generate(number=1, turns=_user(PROMPT), sampling=ENDLESS)
    Generator(model).answer(asked, perf_counter(), flag, lambda e: line.send(Happened(1, e)))
    ours.close()
    theirs.close()
    drain.wait()
    gaps = [start - end for (_, end), (start, _) in itertools.pairwise(spans)]
    steps = gaps[1:]  # without the prefill; each token then has two gaps, around its sampling
    print(json.dumps([a + b for a, b in zip(steps[::2], steps[1::2], strict=False)]))


if __name__ == "__main__":
    _measure_python(sys.argv[1])
