"""The one generation path: admit, place, prefill, decode, settle. Answers run in the order of their lane."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import msgspec

from tui_chat.backends.protocol import BackendError, Begun, LoadedModel
from tui_chat.chat.model import FinishReason, Problem, ProblemCode
from tui_chat.engine.flights import Flights
from tui_chat.engine.generations import Generation
from tui_chat.engine.journaling import Journal
from tui_chat.engine.parking import Parking
from tui_chat.engine.residents import Residents
from tui_chat.engine.swap.need import need_of
from tui_chat.engine.swap.resident import Progress, Resident, Want
from tui_chat.memory.parkfile import ParkLabel
from tui_chat.wire.api import GenerateRequest
from tui_chat.wire.events import Delta, Event, Loading, Numbered, Queued, Settled, Warned

log = logging.getLogger(__name__)

_CANCELLED = Settled(finish=FinishReason.CANCELLED)
_ENGINE_LEFT = Problem(
    ProblemCode.ENGINE_DIED,
    "The engine was stopped while this answer was being written.",
    kept="The text so far is kept.",
    remedy="Ask again.",
)
_MISTAKE = Settled(
    finish=FinishReason.BACKEND_ERROR,
    problem=Problem(
        ProblemCode.ENGINE_DIED,
        "The engine made a mistake with this answer.",
        kept="The text so far is kept.",
        remedy="Ask again; `tui-chat engine logs` says more.",
    ),
)


@dataclass(slots=True)
class _Job:
    """A generation on its way through the scheduler."""

    generation: Generation
    journal: Journal | None
    placing: asyncio.Task[Resident] | None = None
    model: LoadedModel | None = None
    began: float = 0.0
    placed: float = 0.0
    first_token: float | None = None
    warned: bool = False


@dataclass(slots=True)
class _Lane:
    """Answers that are written beside each other, `width` at most, and those that wait for them."""

    width: int
    waiting: deque[_Job] = field(default_factory=deque)
    running: list[_Job] = field(default_factory=list)


class Scheduler:
    """Runs generations first come, first served, and settles every one of them exactly once.

    What this machine computes is written one answer after the other; each server elsewhere has a lane of its
    own, as wide as it is told to be.
    """

    def __init__(
        self,
        residents: Residents,
        parking: Parking,
        flights: Flights,
        lane_of: Callable[[str], tuple[str, int]] = lambda model: ("", 1),
    ) -> None:
        """Run nothing yet.

        Args:
            residents: Has models in memory.
            parking: Brings back what they had read.
            flights: Records every answer.
            lane_of: Names the lane of a model, and says how many answers it takes at once.
        """
        self._residents = residents
        self._parking = parking
        self._flights = flights
        self._lane_of = lane_of
        self._lanes: dict[str, _Lane] = {}
        self._leaving = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = time.monotonic()

    @property
    def idle_s(self) -> float:
        """For how long nothing has run or waited, in seconds."""
        return time.monotonic() - self._ended if self.idle else 0.0

    @property
    def queued(self) -> int:
        """How many answers wait for others."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not any(lane.running or lane.waiting for lane in self._lanes.values())

    def admit(self, generation: Generation, journal: Journal | None) -> None:
        """Queue a generation; it starts at once when nothing is before it."""
        name, width = self._lane_of(generation.request.model)
        lane = self._lanes.setdefault(name, _Lane(width))
        lane.waiting.append(_Job(generation, journal))
        self._advance(lane)

    def _advance(self, lane: _Lane) -> None:
        """Begin as many answers as there is room for, and tell the others how many are before them."""
        while lane.waiting and len(lane.running) < lane.width:
            job = lane.waiting.popleft()
            lane.running.append(job)
            self._spawn(self._run(lane, job))
        for position, job in enumerate(lane.waiting):
            job.generation.publish(Queued(position + len(lane.running)))

    async def _run(self, lane: _Lane, job: _Job) -> None:
        try:
            await self._answer(job)
        except Exception:
            log.exception("%s: no answer", job.generation.request.id)
            await self._settle(job, _MISTAKE)  # whoever listens is not left waiting for ever
        finally:
            lane.running.remove(job)
            self._ended = time.monotonic()
            self._advance(lane)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, generation: Generation) -> None:
        """Stop a generation wherever it is: in the queue, while its model loads, in prefill or decode."""
        generation.cancel_requested = True
        for lane in self._lanes.values():
            for job in lane.running:
                if job.generation is generation:
                    if job.model:
                        job.model.cancel(generation.request.id)
                    elif job.placing:
                        job.placing.cancel()
            for job in list(lane.waiting):
                if job.generation is generation:
                    lane.waiting.remove(job)
                    self._spawn(self._settle(job, _CANCELLED))
                    self._advance(lane)

    async def _answer(self, job: _Job) -> None:
        job.began = time.monotonic()
        try:
            resident = await self._place(job)
        except BackendError as error:
            end = Settled(finish=FinishReason.LOAD_FAILED, problem=error.problem)
        except asyncio.CancelledError:
            if not job.generation.cancel_requested:
                raise
            end = _CANCELLED
        else:
            end = await self._stream(job, resident)
            tokens = end.usage.prompt_tokens + end.usage.completion_tokens
            self._residents.mark(resident, busy=False, tokens=tokens)
            self._residents.learn(resident, end.timings, end.usage)
        await self._settle(job, end)
        await self._residents.drop_dead()

    async def _place(self, job: _Job) -> Resident:
        """Have the model in memory. Raises `BackendError`, or `CancelledError` when the user gave up."""

        def progress(model: str, fraction: float, eta_s: float | None) -> None:
            job.generation.publish(Loading(model, fraction, eta_s))

        if job.generation.cancel_requested:
            raise asyncio.CancelledError
        request = job.generation.request

        async def place() -> Resident:
            self._parking.hurry()
            resident = await self._acquire(request, progress)
            self._residents.mark(resident, busy=True)  # before anything else can have it go
            try:
                if resident.model is not None:
                    label = ParkLabel(resident.id, request.session, answer=request.id)
                    path = resident.info.path
                    await self._parking.bring_back(
                        resident.model, request.turns, label, path, _begun(request)
                    )
            except BaseException:
                self._residents.mark(resident, busy=False)
                raise
            return resident

        job.placing = asyncio.create_task(place())
        try:
            return await job.placing
        finally:
            job.placing = None
            job.placed = time.monotonic()

    async def _acquire(self, request: GenerateRequest, progress: Progress) -> Resident:
        """Have the model in memory with room for the conversation, counted once it is there to count."""
        known = self._residents.find(request.model)
        limit, begun = request.sampling.max_tokens, _begun(request)
        need = await need_of(request.turns, limit, known, begun)
        least = request.context or 0
        want = Want(model=request.model, need=max(need.total, least))
        resident = await self._residents.acquire(want, progress)
        if known is None or known.model is not resident.model:
            need = await need_of(request.turns, limit, resident, begun)
            if need.counted:
                want = Want(model=request.model, need=max(need.total, least))
                resident = await self._residents.acquire(want, progress)
        return resident

    async def _stream(self, job: _Job, resident: Resident) -> Settled:
        request = job.generation.request
        if any(turn.pictures for turn in request.turns) and not resident.info.sees:
            return Settled(finish=FinishReason.BACKEND_ERROR, problem=_blind(resident))
        job.model = resident.model
        assert job.model is not None, "acquire returns loaded models only"
        stream = job.model.generate(
            request.id, request.turns, request.sampling, begun=_begun(request), shift=request.shift
        )
        recorder = self._flights.begin(request.id, resident)
        async for event in stream:
            if isinstance(event, Settled):
                return event
            if isinstance(event, Delta):
                job.first_token = job.first_token or time.monotonic()
                recorder.piece(event.tokens)
            if job.generation.cancel_requested:
                job.model.cancel(request.id)
            self._publish(job, event)
        raise AssertionError("a backend must end with Settled")

    def _publish(self, job: _Job, event: Event) -> None:
        numbered = job.generation.publish(event)
        if job.journal:
            job.journal.add(numbered)
            if job.journal.problem and not job.warned:
                job.warned = True
                job.generation.publish(Warned(job.journal.problem))

    async def _settle(self, job: _Job, end: Settled) -> None:
        """Write the end to disk, then tell it: whoever hears of it may fold the journal and delete it."""
        if self._leaving and end.finish is FinishReason.CANCELLED:
            end = msgspec.structs.replace(end, finish=FinishReason.ENGINE_DIED, problem=_ENGINE_LEFT)
        end = await self._flights.end(job.generation.request, _with_engine_times(end, job))
        if job.journal:
            await job.journal.close(Numbered(len(job.generation.log) + 1, end))
        job.generation.publish(end)
        self._flights.note(job.generation, end)
        log.info("%s: %s, %d tokens", job.generation.request.id, end.finish, end.usage.completion_tokens)

    async def leave(self) -> None:
        """Settle everything because the engine is leaving; partial answers are kept."""
        self._leaving = True
        lanes = self._lanes.values()
        running = [job.generation for lane in lanes for job in (*lane.waiting, *lane.running)]
        for generation in running:
            self.cancel(generation)
        for generation in running:
            async for _ in generation.follow(len(generation.log)):
                pass
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _blind(resident: Resident) -> Problem:
    why = resident.plan.blind if resident.plan else ""
    why = why or (resident.model.description.blind if resident.model else "")
    return Problem(
        ProblemCode.NOT_POSSIBLE,
        f"{resident.id} cannot be shown pictures" + (f": {why}." if why else "."),
        kept="Nothing was sent to it.",
        remedy="Put its projector (mmproj) beside its file and load it anew, or choose a model that can see.",
    )


def _begun(request: GenerateRequest) -> Begun:
    return Begun(request.prefix, request.thought)


def _with_engine_times(end: Settled, job: _Job) -> Settled:
    """Complete a backend's timings with what only the engine saw: the queue, the load, the first token."""
    accepted, began = job.generation.accepted, job.began or time.monotonic()
    timings = msgspec.structs.replace(
        end.timings,
        queue_ms=(began - accepted) * 1e3,
        load_ms=max(0.0, job.placed - began) * 1e3,
        ttft_ms=None if job.first_token is None else (job.first_token - accepted) * 1e3,
    )
    return msgspec.structs.replace(end, timings=timings)
