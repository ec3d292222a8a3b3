"""Whether the tokens per second that are shown are those that came, by a log of every token of our own."""

from __future__ import annotations

import asyncio
import contextlib
import re
import statistics
from collections.abc import Iterator
from time import monotonic

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import Bench, bench_home
from tests.ui.support import LARGE, Chat, Chats
from tui_chat.chat.model import Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.config.settings import Settings
from tui_chat.ui.speed import WINDOW_S
from tui_chat.wire.api import LoadRequest
from tui_chat.wire.events import Delta

ROUNDS = 3
TOKENS = 400
QUESTION = "Write a long and detailed story about an old lighthouse keeper and the sea."
_SPEED = re.compile(r"([\d.,]+) tok/s")


def rows() -> Iterator[Row]:
    """Watch the panel while answers stream, and what is left below them."""
    with bench_home("[models]\nthreads = 1\n") as bench:
        live, settled = asyncio.run(_measure(bench))
    yield at_most("tok/s shown below an answer, off its token log: worst", max(settled) * 100, "%", 2.0)
    yield at_most(
        "tok/s shown while it streams, off the log: median", statistics.median(live) * 100, "%", 2.0
    )
    yield informs("the same, 95th of 100", sorted(live)[int(len(live) * 0.95)] * 100, "%")
    yield informs("times that it was read", len(live), "")


class Log:
    """Every piece of an answer: when it came, and of how many tokens it was."""

    def __init__(self) -> None:
        self.pieces: list[tuple[float, int]] = []

    async def follow(self, client: EngineClient, id: str) -> None:
        """Listen to the end."""
        async for numbered in client.follow(id):
            if isinstance(numbered.event, Delta):
                self.pieces.append((monotonic(), numbered.event.tokens))

    def rate(self, since: float) -> float | None:
        """Tokens per second of the pieces that came since then: n tokens take n-1 steps."""
        inside = [piece for piece in self.pieces if piece[0] >= since]
        if len(inside) < 2 or inside[-1][0] - inside[0][0] < WINDOW_S / 2:
            return None
        return sum(tokens for _, tokens in inside[1:]) / (inside[-1][0] - inside[0][0])


async def _measure(bench: Bench) -> tuple[list[float], list[float]]:
    settings = Settings(sampling=Sampling(temperature=0.0, max_tokens=TOKENS))
    live: list[float] = []
    settled: list[float] = []
    client = EngineClient(bench.paths.socket)
    await ensure_engine(client)
    await client.load(LoadRequest("SmolLM2"))
    async with Chats(bench).open(LARGE, settings=settings) as chat:  # type: ignore[arg-type]
        for number in range(ROUNDS):
            await chat.say(f"{number}. {QUESTION}")
            await chat.until(lambda: chat.conversation.live)
            log = Log()
            logging = asyncio.create_task(log.follow(client, chat.conversation.live.id))
            while chat.conversation.live:
                await chat.pilot.pause(0.2)
                shown, counted = _panel(chat), log.rate(monotonic() - WINDOW_S)
                if shown is not None and counted is not None and chat.conversation.live:
                    live.append(abs(shown / counted - 1))
            await chat.answered()
            await logging
            counted, shown = log.rate(0.0), _below(chat)
            assert counted is not None
            settled.append(abs(shown / counted - 1))
    await client.close()
    return live, settled


def _panel(chat: Chat) -> float | None:
    """What the panel says now; None while it says nothing."""
    lines = [line.partition("▏")[2] for line in chat.text().splitlines()]
    found = next((match for line in lines if (match := _SPEED.search(line))), None)
    with contextlib.suppress(ValueError):
        return float(found[1].replace(",", "")) if found else None
    return None


def _below(chat: Chat) -> float:
    """What stands below the newest answer."""
    found = [match for line in chat.text().splitlines() if (match := _SPEED.search(line.partition("▏")[0]))]
    return float(found[-2 if "first token" in found[-1].string else -1][1].replace(",", ""))
