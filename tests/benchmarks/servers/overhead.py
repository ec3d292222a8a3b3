"""What the engine adds between a server and whoever asks: to the first token, to each, and to Esc.

Each question is new to the server, and both ways take turns at asking, so that neither finds more in its
cache or the machine quieter.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from time import perf_counter

import httpx

from tests.benchmarks.harness import Row, at_least, at_most, informs
from tests.benchmarks.places import ROOT, STARTER, bench_home
from tests.servers.llama_server import NAME, LlamaServerProcess
from tests.servers.openai_stand_in import MODEL
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest, Turn
from tui_chat.wire.events import Delta, Settled
from tui_chat.wire.servers import model_id

ROUNDS, TOKENS = 12, 128
"""For speeds."""
FIRSTS, FEW = 90, 3
"""For the time to the first token: with so many, its median is certain to some 5 ms on two cores."""
STOPS = 10
SLOTS = "/slots"
_questions = count()
_FRESH = httpx.Limits(max_keepalive_connections=0)
"""As the engine does it: llama.cpp's server at times closes a connection just when it is used again."""
_CONFIG = """
[servers.real]
url = "{real}"
kind = "llama-server"

[servers.paced]
url = "{paced}"
kind = "openai"
"""


@dataclass(frozen=True)
class Asked:
    """A model of a server, as the engine's settings call that and as it calls itself."""

    server: str
    model: str
    url: str


@dataclass(frozen=True)
class Timed:
    """Seconds to the first piece of text, and tokens per second from there to the last."""

    first_s: float
    tps: float


def rows() -> Iterator[Row]:
    """Measure with llama.cpp's own server, and with one that does nothing but tell tokens at an even pace."""
    process = LlamaServerProcess(STARTER).wait()
    try:
        with _paced() as url, bench_home(_CONFIG.format(real=process.url, paced=url)) as bench:
            client = EngineClient(bench.paths.socket)
            servers = Asked("paced", MODEL, url), Asked("real", NAME, process.url)
            yield from asyncio.run(_measure(client, *servers))
    finally:
        process.close()


@contextmanager
def _paced() -> Iterator[str]:
    """The address of a stand-in in a process of its own, which who listens does not slow down."""
    command = [sys.executable, "-m", "tests.servers.openai_stand_in", "--kind", "openai", "--whole"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as paced:
        assert paced.stdout is not None
        yield f"http://127.0.0.1:{paced.stdout.readline().strip()}"
        paced.communicate("")  # it ends with its input


async def _measure(client: EngineClient, paced: Asked, real: Asked) -> list[Row]:
    await ensure_engine(client)
    measured = []
    for asked in (paced, real):
        async with httpx.AsyncClient(
            base_url=asked.url, trust_env=False, timeout=60, limits=_FRESH
        ) as direct:
            firsts = await _pairs(client, direct, asked, FIRSTS, FEW)
            measured += _compared(asked, firsts, await _pairs(client, direct, asked, ROUNDS, TOKENS))
            if asked is real:
                stops = [await _stop_s(client, direct, asked) for _ in range(STOPS)]
    await client.close()
    return [
        *measured,
        at_most("Esc to the server's slot idle: median", statistics.median(stops) * 1e3, "ms", 150),
        informs("Esc to the server's slot idle: worst", max(stops) * 1e3, "ms"),
    ]


Pairs = list[tuple[Timed, Timed]]
"""Answers to a direct client, and through the engine."""


async def _pairs(
    client: EngineClient, direct: httpx.AsyncClient, asked: Asked, rounds: int, tokens: int
) -> Pairs:
    """Ask in turns for answers of so many tokens."""
    await _directly(direct, asked, tokens)  # warms up
    await _through(client, asked, tokens)
    pairs = []
    for number in range(rounds):
        if number % 2:
            theirs = await _directly(direct, asked, tokens)
            pairs.append((theirs, await _through(client, asked, tokens)))
        else:
            ours = await _through(client, asked, tokens)
            pairs.append((await _directly(direct, asked, tokens), ours))
    return pairs


def _compared(asked: Asked, firsts: Pairs, pairs: Pairs) -> list[Row]:
    """The real server is held to the targets. The stand-in shows how a much quicker one would fare."""
    name = asked.server
    added = [(ours.first_s - theirs.first_s) * 1e3 for theirs, ours in firsts]
    ratios = [ours.tps / theirs.tps for theirs, ours in pairs]
    first = _median(theirs.first_s * 1e3 for theirs, _ in firsts)
    if name == "paced":
        return [
            informs(f"{name} server: first token, direct client: median", first, "ms"),
            informs(f"{name} server: first token through the engine, added: median", _median(added), "ms"),
            informs(f"{name} server: direct: median", _median(theirs.tps for theirs, _ in pairs), "tok/s"),
            informs(f"{name} server: tok/s through the engine ÷ direct: median", _median(ratios), "x"),
        ]
    return [
        informs(f"{name} server: first token, direct client: median", first, "ms"),
        at_most(f"{name} server: first token through the engine, added: median", _median(added), "ms", 15),
        informs(f"{name} server: direct client: median", _median(theirs.tps for theirs, _ in pairs), "tok/s"),
        at_least(f"{name} server: tok/s through the engine ÷ direct: median", _median(ratios), "x", 0.97),
    ]


def _median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def _question() -> str:
    """As long as the one before, and unlike it from the first word on."""
    return f"{1000 + next(_questions)}: Count the waves in a long story of the sea, and tell it."


async def _directly(direct: httpx.AsyncClient, asked: Asked, tokens: int) -> Timed:
    body = {
        "model": asked.model, "messages": [{"role": "user", "content": _question()}], "stream": True,
        "temperature": 0, "max_tokens": tokens,
    }  # fmt: skip
    return await _timed(_pieces(direct, body))


async def _pieces(direct: httpx.AsyncClient, body: dict) -> AsyncIterator[int]:
    """Yield a token at a time, as the smallest client would read them."""
    async with direct.stream("POST", "/v1/chat/completions", json=body) as reply:
        async for line in reply.aiter_lines():
            if line.startswith("data: {"):
                (choice,) = json.loads(line[6:])["choices"]
                if choice["delta"].get("content"):
                    yield 1


async def _through(client: EngineClient, asked: Asked, tokens: int) -> Timed:
    return await _timed(_deltas(client, asked, new_id(), tokens))


async def _deltas(client: EngineClient, asked: Asked, id: str, tokens: int) -> AsyncIterator[int]:
    """Ask through the engine, and yield how many tokens each delta is of."""
    turns = (Turn(Role.USER, _question()),)
    sampling = Sampling(temperature=0, max_tokens=tokens)
    await client.generate(
        GenerateRequest(id=id, model=model_id(asked.server, asked.model), turns=turns, sampling=sampling)
    )
    async for numbered in client.follow(id):
        event = numbered.event
        if isinstance(event, Delta):
            yield event.tokens
        elif isinstance(event, Settled):
            assert event.problem is None, event.problem


async def _timed(tokens: AsyncIterator[int]) -> Timed:
    began = perf_counter()
    first = last = 0.0
    written = 0
    async for number in tokens:
        last = perf_counter()
        first = first or last
        written += number
    assert written > 1
    return Timed(first - began, (written - 1) / (last - first))


async def _stop_s(client: EngineClient, direct: httpx.AsyncClient, asked: Asked) -> float:
    """Seconds from asking the engine to stop until the server's slots are all idle."""
    number, stopped = new_id(), 0.0
    async for _ in _deltas(client, asked, number, 800):
        if not stopped:
            stopped = perf_counter()
            await client.cancel(number)
            while any(slot["is_processing"] for slot in (await direct.get(SLOTS)).json()):
                await asyncio.sleep(0.005)
            taken = perf_counter() - stopped
    return taken
