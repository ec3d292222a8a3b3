"""A model in a worker process, as the engine uses it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

import msgspec

from tui_chat.backends.llamacpp.failures import death_problem, much_to_see, unloaded_problem
from tui_chat.backends.llamacpp.messages import (
    MOST_SHOWN,
    Compare,
    Compared,
    Counted,
    CountTurns,
    Failed,
    Generate,
    Happened,
    Holds,
    Park,
    Parked,
    Reading,
    Reply,
    Resize,
    Resized,
    Restore,
    Restored,
    Tokenize,
    TurnsCounted,
    Upkeep,
    Weigh,
    Weighed,
)
from tui_chat.backends.llamacpp.process import WorkerProcess
from tui_chat.backends.protocol import NEW, BackendError, Begun, Branch, Description, Fit, Held
from tui_chat.chat.model import FinishReason, Problem, Sampling, Timings, Usage
from tui_chat.memory.parkfile import ParkHeader, ParkLabel
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.events import Delta, Event, Prefill, Settled
from tui_chat.wire.plan import LoadOptions

R = TypeVar("R", bound=Reply)


@dataclass(slots=True)
class _Running:
    """The generation that is listened to, and what is known of it should its worker die."""

    id: str
    number: int
    started: float
    events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    prefill: Prefill | None = None
    tokens: int = 0
    first: float | None = None
    last: float = 0.0

    def note(self, event: Event) -> None:
        """Remember what a final account needs."""
        if isinstance(event, Prefill):
            self.prefill = event
        elif isinstance(event, Delta):
            self.last = perf_counter()
            self.first = self.first or self.last
            self.tokens += event.tokens

    def cut_short(self, problem: Problem, fingerprint: str) -> Settled:
        """Settle what the worker can no longer settle itself, from what it had reported."""
        usage = Usage(
            prompt_tokens=self.prefill.total if self.prefill else 0,
            completion_tokens=self.tokens,
            reused_tokens=self.prefill.reused if self.prefill else 0,
        )
        decode_s = self.last - self.first if self.first else 0.0
        timings = Timings(
            ttft_ms=(self.first - self.started) * 1e3 if self.first else None,
            decode_ms=decode_s * 1e3,
            decode_tps=(self.tokens - 1) / decode_s if self.tokens > 1 and decode_s > 0 else None,
        )
        return Settled(
            finish=FinishReason.WORKER_DIED,
            usage=usage,
            timings=timings,
            problem=problem,
            fingerprint=fingerprint,
        )


def _shown(turns: tuple[Turn, ...]) -> int:
    """Bytes of the pictures in `turns`."""
    return sum(len(picture.data) for turn in turns for picture in turn.pictures)


class LlamaCppModel:
    """A `ParkableModel` whose weights live in a worker process."""

    def __init__(self, process: WorkerProcess, description: Description, name: str) -> None:
        self._process = process
        self._description = description
        self._name = name
        self._death: Problem | None = None
        self._branches: tuple[Branch, ...] = ()
        self._closing = False
        self._numbers = itertools.count(1)
        self._running: _Running | None = None
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._listener = asyncio.create_task(self._listen(), name=f"worker of {name}")

    @property
    def description(self) -> Description:
        """What the model says of itself."""
        return self._description

    @property
    def death(self) -> Problem | None:
        """Why the model is gone, or None while it lives."""
        return self._death

    @property
    def branches(self) -> tuple[Branch, ...]:
        """What the KV cache held when that was told last; see `ParkableModel.branches`."""
        return self._branches

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    async def generate(
        self, id: str, turns: tuple[Turn, ...], sampling: Sampling, *, begun: Begun = NEW, shift: bool = False
    ) -> AsyncIterator[Event]:
        """Answer `turns`; see `LoadedModel.generate`. Leaving the iterator early stops the worker too."""
        running = _Running(id, next(self._numbers), perf_counter())
        if self._death is not None:
            yield running.cut_short(self._death, self._description.fingerprint)
            return
        if (shown := _shown(turns)) > MOST_SHOWN:
            yield Settled(finish=FinishReason.BACKEND_ERROR, problem=much_to_see(shown, MOST_SHOWN))
            return
        self._running = running
        self._process.flags.lower(running.number)
        self._process.send(Generate(running.number, turns, sampling, id, shift, begun))
        event: Event | None = None
        try:
            while not isinstance(event, Settled):
                event = await running.events.get()
                yield event
        finally:
            if not isinstance(event, Settled):
                self._process.flags.hoist(running.number)
            if self._running is running:
                self._running = None

    def cancel(self, id: str) -> None:
        """Stop generation `id` within milliseconds; no effect if it is over."""
        if self._running is not None and self._running.id == id:
            self._process.flags.hoist(self._running.number)

    @property
    def can_hold(self) -> bool:
        """Always: the loop over tokens is ours."""
        return True

    def hold(self, held: bool) -> None:
        """Have answers wait between two tokens, or go on."""
        self._process.flags.hold(held)

    async def tokenize(self, text: str) -> int:
        """Count the tokens of `text`, also while an answer is generated.

        Raises:
            BackendError: The model is gone.
        """
        return (await self._ask(Tokenize(next(self._numbers), text), Counted)).tokens

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of `turns`, also while an answer is generated; see `LoadedModel.count`."""
        words = tuple(msgspec.structs.replace(turn, pictures=()) for turn in turns)
        return (await self._ask(CountTurns(next(self._numbers), words), TurnsCounted)).count

    async def resize(self, options: LoadOptions) -> int:
        """Change context, KV type or ubatch; see `ParkableModel.resize`."""
        return (await self._ask(Resize(next(self._numbers), options), Resized)).kept

    async def held(self) -> Held:
        """Say what the KV cache holds; see `ParkableModel.held`."""
        return (await self._ask(Weigh(next(self._numbers)), Weighed)).held

    async def fit(self, turns: tuple[Turn, ...], begun: Begun = NEW) -> Fit:
        """Compare `turns` with the KV cache; see `ParkableModel.fit`."""
        if (shown := _shown(turns)) > MOST_SHOWN:
            raise BackendError(much_to_see(shown, MOST_SHOWN))
        return (await self._ask(Compare(next(self._numbers), turns, begun), Compared)).fit

    async def park(self, path: str, label: ParkLabel) -> ParkHeader:
        """Write the KV cache into the file at `path`; see `ParkableModel.park`."""
        order = Park(next(self._numbers), path, label)
        self._process.flags.lower(order.number)
        asking = asyncio.create_task(self._ask(order, Parked))
        try:
            return (await asyncio.shield(asking)).header
        except asyncio.CancelledError:
            self._process.flags.hoist(order.number)
            await asyncio.wait((asking,))
            asking.exception()
            raise

    async def restore(self, path: str) -> int:
        """Take the KV cache from the file at `path`; see `ParkableModel.restore`."""
        return (await self._ask(Restore(next(self._numbers), path), Restored)).tokens

    async def _ask(self, order: Reading | Upkeep, wanted: type[R]) -> R:
        """Send an order and wait for its reply, whatever becomes of the worker meanwhile."""
        if self._death is not None:
            raise BackendError(self._death)
        self._replies[order.number] = asyncio.get_running_loop().create_future()
        self._process.send(order)
        try:
            reply = await self._replies[order.number]
        finally:
            del self._replies[order.number]
        if isinstance(reply, Failed):
            raise BackendError(reply.problem)
        assert isinstance(reply, wanted), f"{type(order).__name__} was answered by {type(reply).__name__}"
        return reply

    def real_bytes(self) -> int:
        """What the worker's process takes of RAM, shared pages of the file included."""
        import psutil

        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def close(self) -> None:
        """Give the memory back; returns when the process is reaped. Closing twice is closing once."""
        self._closing = True
        await self._process.reap()
        await self._listener

    async def _listen(self) -> None:
        """Hand every report to whoever waits for it, until the worker is gone."""
        while (report := await self._process.receive()) is not None:
            running = self._running
            if isinstance(report, Happened):
                if running is not None and running.number == report.number:
                    running.note(report.event)
                    running.events.put_nowait(report.event)
            elif isinstance(report, Holds):
                self._branches = report.branches
            elif isinstance(report, Reply):
                if isinstance(report, Resized):  # true whether or not its caller still waits
                    self._describe_anew(report.description)
                waiting = self._replies.get(report.number)
                if waiting is not None and not waiting.done():  # its caller may have given up
                    waiting.set_result(report)
        await self._mourn()

    def _describe_anew(self, description: Description) -> None:
        load_ms = self._description.load_ms
        self._description = msgspec.structs.replace(description, load_ms=load_ms)

    async def _mourn(self) -> None:
        """Find out how the worker ended, and tell everyone who still waits for it."""
        status = await self._process.reap()
        self._death = (
            unloaded_problem(self._name)
            if self._closing
            else death_problem(
                self._name,
                status,
                self._process.log_tail(),
                memory_kill=self._process.memory_kill,
                loading=False,
            )
        )
        if self._running is not None:
            self._running.events.put_nowait(
                self._running.cut_short(self._death, self._description.fingerprint)
            )
        for waiting in self._replies.values():
            if not waiting.done():
                waiting.set_exception(BackendError(self._death))
