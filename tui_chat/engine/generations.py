"""Running answers: a numbered log of events each, which any number of listeners follow at their own pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import groupby

from tui_chat.wire.api import GenerateRequest, GenerationInfo, GenerationState
from tui_chat.wire.events import (
    Channel,
    Delta,
    Event,
    Loading,
    Numbered,
    Prefill,
    Queued,
    Settled,
    Waiting,
    Warned,
)

KEPT_SETTLED = 64
"""How many ended generations stay for terminals that come back late; older ones live on in sessions."""


class Generation:
    """One answer on its way. Only the scheduler publishes to it; it never forgets an event."""

    def __init__(self, request: GenerateRequest, on_change: Callable[[], None]) -> None:
        self.request = request
        self.accepted = time.monotonic()
        self.state = GenerationState.QUEUED
        self.cancel_requested = False
        self.log: list[Numbered] = []
        self._on_change = on_change
        self._grown = asyncio.Event()
        self._listeners = 0

    @property
    def unheard(self) -> bool:
        """Whether it runs for listeners only, and they have all gone."""
        return self.request.only_while_heard and not self._listeners and self.settled is None

    @property
    def info(self) -> GenerationInfo:
        """What the outside may know of it."""
        return GenerationInfo(
            id=self.request.id,
            model=self.request.model,
            state=self.state,
            last_seq=len(self.log),
            session=self.request.session,
        )

    @property
    def settled(self) -> Settled | None:
        """How it ended, or None while it runs."""
        last = self.log[-1].event if self.log else None
        return last if isinstance(last, Settled) else None

    def publish(self, event: Event) -> Numbered:
        """Append `event` to the log and wake every listener."""
        numbered = Numbered(len(self.log) + 1, event)
        self.log.append(numbered)
        self._wake()
        state = _state_after(event, self.state)
        if state is not self.state:
            self.state = state
            self._on_change()
        return numbered

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def follow(self, after: int = 0) -> AsyncIterator[Numbered]:
        """Yield every event numbered above `after`, to the end.

        A listener that is behind gets runs of text merged into one event, so that catching up on a
        long answer is a handful of messages; numbers only grow, and the last of a run is given.
        """
        self._listeners += 1
        try:
            async for numbered in self._events(after):
                yield numbered
        finally:
            self._listeners -= 1

    async def _events(self, after: int) -> AsyncIterator[Numbered]:
        while True:
            grown = self._grown
            if pending := self.log[after:]:
                for numbered in coalesce(pending):
                    yield numbered
                after = pending[-1].seq
                if isinstance(pending[-1].event, Settled):
                    return
            else:
                await grown.wait()


def coalesce(events: list[Numbered]) -> list[Numbered]:
    """Merge neighbouring deltas of one channel and drop progress that newer progress overtook."""
    merged: list[Numbered] = []
    for kind, run in groupby(events, key=_merge_key):
        numbered = list(run)
        if isinstance(kind, Channel):
            deltas = [n.event for n in numbered if isinstance(n.event, Delta)]
            text = "".join(d.text for d in deltas)
            merged.append(Numbered(numbered[-1].seq, Delta(text, sum(d.tokens for d in deltas), kind)))
        elif kind in (Queued, Loading, Waiting, Prefill):
            merged.append(numbered[-1])
        else:
            merged += numbered
    return merged


def _merge_key(numbered: Numbered) -> Channel | type[Event]:
    event = numbered.event
    return event.channel if isinstance(event, Delta) else type(event)


def _state_after(event: Event, before: GenerationState) -> GenerationState:
    match event:
        case Queued():
            return GenerationState.QUEUED
        case Loading() | Waiting(loading=True):
            return GenerationState.LOADING
        case Prefill() | Waiting():
            return GenerationState.PREFILL
        case Delta():
            return GenerationState.DECODING
        case Settled():
            return GenerationState.SETTLED
        case Warned():
            return before


class Generations:
    """Every generation the engine knows, running and lately settled, by id."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._by_id: dict[str, Generation] = {}
        self._on_change = on_change

    def get(self, id: str) -> Generation | None:
        """Find one by id."""
        return self._by_id.get(id)

    def add(self, request: GenerateRequest) -> Generation:
        """Register a new generation; the oldest settled ones make room."""
        generation = Generation(request, self._on_change)
        self._by_id[request.id] = generation
        settled = [g.request.id for g in self._by_id.values() if g.settled]
        for old in settled[: max(0, len(settled) - KEPT_SETTLED)]:
            del self._by_id[old]
        self._on_change()
        return generation

    @property
    def running(self) -> tuple[Generation, ...]:
        """Those that have not settled, oldest first."""
        return tuple(g for g in self._by_id.values() if not g.settled)
