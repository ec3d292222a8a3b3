"""A model that a server runs, as the engine uses it. The one way that an answer comes from any server."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from time import perf_counter

import msgspec

from tui_chat.backends.protocol import NEW, Begun, Description
from tui_chat.backends.servers.dialogue import Asked, Dialogue, Final, Piece, Said
from tui_chat.backends.servers.failures import ServerError, broken, stalled
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import FinishReason, Problem, ProblemCode, Sampling, Timings, Usage
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.events import Channel, Delta, Event, Prefill, Settled, Waiting

log = logging.getLogger(__name__)

TRIES = 4
"""How often a question is put that never reached the server, or that it had no time for."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 8.0
_STOPS_WITHIN_S, _LOOK_EVERY_S = 1.0, 0.02


@dataclass(frozen=True, slots=True)
class _Ended:
    """The stream is over: as the server announced, or by an error."""

    error: ServerError | None = None


@dataclass(frozen=True, slots=True)
class _Cancelled:
    """Somebody does not want the rest."""


_Item = Said | _Ended | _Cancelled


@dataclass(slots=True)
class _Running:
    """One answer on its way, and what is known of it so far."""

    id: str
    started: float = field(default_factory=perf_counter)
    items: asyncio.Queue[_Item] = field(default_factory=asyncio.Queue)
    asking: asyncio.Task[None] | None = None
    prefill: Prefill | None = None
    tokens: int = 0
    first: float | None = None
    last: float = 0.0
    thought_until: float | None = None
    final: Final | None = None

    def note(self, piece: Piece) -> None:
        """Remember what a final account needs."""
        self.last = perf_counter()
        self.first = self.first or self.last
        self.tokens += piece.tokens
        if piece.text and self.thought_until is None:
            self.thought_until = self.last

    def settle(self, finish: FinishReason, problem: Problem | None, description: Description) -> Settled:
        """Put together how it ended: what the server told counts, then what was seen here."""
        told = self.final
        usage = told.usage if told and told.usage else self._usage()
        first, last = self.first or 0.0, self.last
        decode_s = last - first
        timings = (told.timings if told else None) or Timings(
            prefill_ms=(first - self.started) * 1e3 if first else 0.0,
            decode_ms=decode_s * 1e3,
            decode_tps=(usage.completion_tokens - 1) / decode_s
            if usage.completion_tokens > 1 and decode_s > 0
            else None,
        )
        thought_s = (self.thought_until or last) - first if first else 0.0
        timings = msgspec.structs.replace(timings, thinking_ms=max(0.0, thought_s) * 1e3)
        return Settled(
            finish=finish,
            usage=usage,
            timings=timings,
            problem=problem,
            fingerprint=description.fingerprint,
        )

    def _usage(self) -> Usage:
        prompt = self.prefill
        return Usage(
            prompt_tokens=prompt.total if prompt else 0,
            completion_tokens=self.tokens,
            reused_tokens=prompt.reused if prompt else 0,
            estimated=self.tokens > 0,
        )


class ServedModel:
    """A `LoadedModel` at a server. Several answers may be on their way at once, if the server takes them."""

    def __init__(
        self,
        link: Link,
        dialogue: Dialogue,
        description: Description,
        *,
        pid: int = 0,
        weigh: Callable[[], int] = lambda: 0,
        loaded: Callable[[], bool] = lambda: True,
    ) -> None:
        """Ask nothing yet.

        Args:
            link: To the server.
            dialogue: How it is asked.
            description: What it says of the model.
            pid: Of the process that computes, if it is on this machine and known.
            weigh: Tells what the model takes of this machine's RAM, in bytes.
            loaded: Tells whether the server has it in memory already, so that nobody waits for that.
        """
        self._link = link
        self._dialogue = dialogue
        self._description = description
        self._pid = pid
        self._weigh = weigh
        self._loaded = loaded
        self._running: dict[str, _Running] = {}

    @property
    def description(self) -> Description:
        """What the server says of the model."""
        return self._description

    @property
    def death(self) -> Problem | None:
        """Never: a server that does not answer may answer again."""
        return None

    @property
    def can_hold(self) -> bool:
        """No server lets itself be paused between two tokens."""
        return False

    def hold(self, held: bool) -> None:
        """Of no effect."""

    @property
    def pid(self) -> int:
        """The process that computes; 0 where it is not on this machine, or not known."""
        return self._pid

    def real_bytes(self) -> int:
        """What it takes of this machine's RAM, in bytes; 0 where that cannot be told."""
        return self._weigh()

    async def generate(
        self, id: str, turns: tuple[Turn, ...], sampling: Sampling, *, begun: Begun = NEW, shift: bool = False
    ) -> AsyncIterator[Event]:
        """Answer `turns`; see `LoadedModel.generate`. Leaving the iterator early closes the connection."""
        running = self._running[id] = _Running(id)
        running.asking = asyncio.create_task(self._ask(Asked(turns, sampling, begun), running))
        try:
            yield Waiting(self._link.name, loading=not self._loaded())
            while True:
                item = await self._next(running)
                for event in self._events(running, item):
                    yield event
                if isinstance(item, _Ended | _Cancelled):
                    yield await self._settled(running, item)
                    return
        finally:
            del self._running[id]
            running.asking.cancel()
            await asyncio.gather(running.asking, return_exceptions=True)

    async def _next(self, running: _Running) -> _Item:
        """The next thing that happens; an end where nothing happens for too long."""
        settings = self._link.settings
        began = running.first is not None or running.prefill is not None
        limit = settings.stall_s if began else settings.first_token_s
        try:
            async with asyncio.timeout(limit):
                return await running.items.get()
        except TimeoutError:
            what = f"has said nothing for {limit:.0f} s" if began else f"has not begun within {limit:.0f} s"
            return _Ended(self._link.failure(stalled(self._link.name, what)))

    def _events(self, running: _Running, item: _Item) -> list[Event]:
        match item:
            case Piece(text, thinking, tokens):
                running.note(item)
                events: list[Event] = []
                if thinking:
                    events.append(Delta(thinking, 0 if text else tokens, Channel.THINKING))
                if text or not thinking:
                    events.append(Delta(text, tokens))
                return events
            case Prefill():
                running.prefill = item
                return [item]
            case Final():
                running.final = item
                return []
            case Waiting():
                return [item]
            case _:
                return []

    async def _settled(self, running: _Running, item: _Ended | _Cancelled) -> Settled:
        assert running.asking is not None
        running.asking.cancel()  # closes the connection, where it is not closed yet
        await asyncio.gather(running.asking, return_exceptions=True)
        final = running.final
        if final is not None:  # the answer was complete, whatever happened to the line after that
            return running.settle(final.finish, final.problem, self._description)
        if isinstance(item, _Cancelled):
            return running.settle(FinishReason.CANCELLED, await self._goes_on(), self._description)
        error = item.error or self._link.failure(broken(self._link.name, "the stream ended without an end"))
        return running.settle(error.finish, error.problem, self._description)

    async def _goes_on(self) -> Problem | None:
        """Say so if the server writes on although nobody listens any more, as far as it can be seen.

        It has stopped when it writes one answer less than right after the connection was closed, as it
        takes it a token or two to notice that.
        """
        if len(self._running) > 1:
            return None  # of several answers nobody can tell which one goes on
        with suppress(ServerError, TimeoutError):
            async with asyncio.timeout(_STOPS_WITHIN_S * 2):
                until, first = perf_counter() + _STOPS_WITHIN_S, await self._dialogue.running()
                while perf_counter() < until:
                    if not first or (await self._dialogue.running() or 0) < first:
                        return None
                    await asyncio.sleep(_LOOK_EVERY_S)
                return Problem(
                    ProblemCode.CANNOT_STOP,
                    f"{self._link.name} is still at work, though the connection was closed: for somebody "
                    "else, or because it cannot be stopped, or not before it has read on a bit.",
                    kept="The text so far is kept.",
                )
        return None

    async def _ask(self, asked: Asked, running: _Running) -> None:
        """Put the question, again where that does no harm, and pass on what comes."""
        for attempt in range(1, TRIES + 1):
            begun = False
            try:
                self._link.breaker.check(self._link.name)
            except ServerError as left_alone:  # nothing was asked, and so nothing failed once more
                running.items.put_nowait(_Ended(left_alone))
                return
            try:
                async with aclosing(self._dialogue.ask(asked)) as said:
                    async for each in said:
                        begun = begun or not isinstance(each, Waiting)
                        running.items.put_nowait(each)
                self._link.breaker.succeeded()
                running.items.put_nowait(_Ended())
                return
            except Exception as error:  # noqa: BLE001 - whatever a server does, the answer ends with a reason
                failure = self._link.failure(error)
                if begun or not failure.harmless or attempt == TRIES or self._link.breaker.next_try_s:
                    log.info("%s: %s", self._link.name, failure.problem.code)
                    running.items.put_nowait(_Ended(failure))
                    return
            pause = pause_s(attempt, failure.retry_after_s)
            running.items.put_nowait(Waiting(self._link.name, why=failure.problem.what, retry_in_s=pause))
            await asyncio.sleep(pause)

    def cancel(self, id: str) -> None:
        """Close the connection of generation `id` at once; no effect if it is over."""
        running = self._running.get(id)
        if running is not None and running.asking is not None:
            running.items.put_nowait(_Cancelled())
            running.asking.cancel()

    async def tokenize(self, text: str) -> int:
        """Count the tokens of `text`. Raises `BackendError` where the server cannot."""
        return await self._dialogue.tokenize(text)

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of `turns`. Raises `BackendError` where the server cannot."""
        return await self._dialogue.count(turns)

    async def close(self) -> None:
        """Have the server give the memory back, where that is ours to decide."""
        await self._dialogue.unload()


def pause_s(attempt: int, said: float | None = None) -> float:
    """Seconds to wait after the `attempt`-th failure: what the server `said`, else longer each time.

    With jitter, so that many clients do not come back at the same moment.
    """
    if said is not None:
        return min(said, LONGEST_PAUSE_S)
    longest: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))
    return random.uniform(0.5, 1.0) * longest  # noqa: S311 - nothing secret hangs on it
