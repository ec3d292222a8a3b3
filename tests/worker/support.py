"""What tests of the worker share: loading, collecting a whole answer, looking for processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.llamacpp.process import WORKER
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import NEW, Begun, LoadPlan
from tui_chat.chat.model import Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Channel, Delta, Event, Prefill, Settled
from tui_chat.wire.plan import LoadOptions

GREEDY = Sampling(temperature=0, max_tokens=24)
BRIEF = Sampling(temperature=0, max_tokens=8)
ENDLESS = Sampling(temperature=0, max_tokens=100_000)
PATIENCE_S = 60.0
"""How long a wait may take; conditions are met in far less, but two busy cores can be slow."""
COUNT = "Count from 1 to 100, separated by commas."


class Heard(msgspec.Struct):
    """One whole generation."""

    events: list[Event]

    @property
    def text(self) -> str:
        return "".join(e.text for e in self.deltas if e.channel is Channel.ANSWER)

    @property
    def deltas(self) -> list[Delta]:
        return [event for event in self.events if isinstance(event, Delta)]

    @property
    def prefills(self) -> list[Prefill]:
        return [event for event in self.events if isinstance(event, Prefill)]

    @property
    def settled(self) -> Settled:
        last = self.events[-1]
        assert isinstance(last, Settled)
        assert sum(isinstance(event, Settled) for event in self.events) == 1
        return last


def user(text: str) -> tuple[Turn, ...]:
    return (Turn(Role.USER, text),)


async def load(path: Path, logs: Path, context: int = 2048, ubatch: int = 512) -> LlamaCppModel:
    """Load with one thread: several wait for each other, so beside other busy tests they crawl.

    With a small `ubatch`, a text need not be long to be read in several batches.
    """
    plan = LoadPlan(path=path, options=LoadOptions(context=context, ubatch=ubatch), threads=1)
    return await LlamaCppBackend(logs).load(plan, lambda _: None)


async def hear(
    model: LlamaCppModel,
    turns: tuple[Turn, ...] | str,
    sampling: Sampling = GREEDY,
    on_event: Callable[[Event], None] = lambda _: None,
    begun: Begun = NEW,
    *,
    shift: bool = False,
) -> Heard:
    """Collect a whole answer, calling `on_event` for each event as it comes."""
    heard = Heard([])
    turns = user(turns) if isinstance(turns, str) else turns
    async for event in model.generate("answer", turns, sampling, begun=begun, shift=shift):
        heard.events.append(event)
        on_event(event)
    return heard


def long_text(tokens: int) -> str:
    """Text of about that many tokens, no two parts alike."""
    return " ".join(f"item {i}" for i in range(tokens // 5))


def workers(of: int | None = None) -> list[psutil.Process]:
    """The live workers below process `of` (default: this one)."""
    found = []
    for process in psutil.Process(of).children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE and WORKER in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until `condition` holds; `seconds` is how long a busy machine may take."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


async def eventually(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """As `wait_until`, without holding up the loop."""
    await asyncio.to_thread(wait_until, condition, seconds)
