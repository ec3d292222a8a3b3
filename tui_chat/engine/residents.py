"""Which models are in memory. One writer: every load, resize, eviction and unload goes through here."""

from __future__ import annotations

import asyncio
import logging
import time

from tui_chat.backends.protocol import Backend, BackendError, LoadedModel, ParkableModel
from tui_chat.chat.model import Timings, Usage
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.parking import Parking
from tui_chat.engine.servers.attaching import Attaching
from tui_chat.engine.swap.alternatives import Alternatives
from tui_chat.engine.swap.bringing import Bringer
from tui_chat.engine.swap.choice import Choice, Chooser
from tui_chat.engine.swap.problems import answering, given_up
from tui_chat.engine.swap.resident import Holdable, Progress, Resident, Want
from tui_chat.engine.swap.wishes import Wishes
from tui_chat.engine.tally import Tally
from tui_chat.telemetry.owners import Worker
from tui_chat.wire.api import ModelInfo, ModelState

log = logging.getLogger(__name__)

_TELLING = 32
"""Tokens; fewer say little about a speed."""


class Residents:
    """Loads models on demand, keeps them as long as that is worth it, and gives their memory back."""

    def __init__(
        self,
        backend: Backend,
        catalogue: Catalogue,
        wishes: Wishes,
        chooser: Chooser,
        parking: Parking,
        alternatives: Alternatives,
        tally: Tally,
        attaching: Attaching,
    ) -> None:
        self._attaching = attaching
        self._tally = tally
        self._catalogue = catalogue
        self._chooser = chooser
        self._table = chooser.table
        self._learned = chooser.learned
        self._wishes = wishes
        self._bringer = Bringer(backend, catalogue, wishes, chooser, parking, alternatives, tally)
        self._room = self._bringer.room
        self._changing = asyncio.Lock()
        self._loading: dict[str, asyncio.Task[Resident]] = {}
        self._given_up: set[str] = set()
        self._quiet: str | None = None

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """What is in memory, on its way there or on its way out."""
        return self._table.infos()

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The processes of what is in memory."""
        return self._table.workers()

    @property
    def holdable(self) -> tuple[Holdable, ...]:
        """The models in memory, as heat concerns them."""
        return self._table.holdable()

    @property
    def idle(self) -> list[tuple[LoadedModel, float]]:
        """Models that nobody uses, and for how many seconds."""
        now = time.monotonic()
        return [(e.model, now - e.used) for e in self._table if e.model and e.info.state is ModelState.READY]

    @property
    def next_expiry(self) -> float | None:
        """When the next idle model goes, on the monotonic clock."""
        return min((at for each in self._table if (at := each.expires) is not None), default=None)

    async def acquire(self, want: Want, on_progress: Progress) -> Resident:
        """Return a model in memory as wanted, loading or resizing it if need be.

        Raises:
            BackendError: It is unknown, missing or broken, it is answering and would have to change for
                `want`, there is no room for it, or it cannot be loaded.
        """
        found = await self._catalogue.resolve(want.model)
        self._wishes.note(found, want)
        if not found.weights:  # its memory is its server's own business
            return self._use(await self._attaching.acquire(found, want, on_progress), want)
        ready = self._ready(found, want)
        if ready is not None:  # without waiting for whatever else is being loaded
            return self._use(ready, want)
        await self._stop_quiet(found)
        async with self._changing:
            await self._bringer.bury()  # before it is listed as on its way
            ready = self._ready(found, want) or await self._resize(found, want)
            if ready is None:
                ready = await self._replace(found, want, on_progress)
            return self._use(ready, want)

    async def load_quietly(self, model: str) -> bool:
        """Load a model that nobody asked for yet, if all it may wish for is free; say whether it was done.

        Whoever wants another model meanwhile does not wait for it: it is given up.
        """
        if self._changing.locked():
            return False
        try:
            found = await self._catalogue.resolve(model)
            if not found.weights:
                return False
            async with self._changing:
                if self._table.get(found.path) is None:
                    self._quiet = found.path
                    await self._replace(found, Want(model=model, quiet=True), lambda *_: None)
        except BackendError as error:
            log.info("%s is not loaded beforehand: %s", model, error.problem.what)
            return False
        finally:
            self._quiet = None
        return True

    async def _stop_quiet(self, found: ModelInfo) -> None:
        """Give up the load that nobody asked for, unless it is just this one."""
        if self._quiet not in (None, found.path):
            await self.unload(self._quiet)

    def _ready(self, found: ModelInfo, want: Want) -> Resident | None:
        current = self._table.get(found.path)
        if current is None or not current.alive or current.options is None:
            return None
        if not current.info.state.in_memory:  # it is being resized, or on its way out
            return None
        return current if want.served_by(current.options, found.trained_context) else None

    def _use(self, resident: Resident, want: Want) -> Resident:
        self._chooser.habits.note(resident.info.path, time.time())
        keep = want.keep_alive_s
        self._table.change(
            resident.info.path,
            used=time.monotonic(),
            keep_alive_s=resident.keep_alive_s if keep is None else keep,
        )
        return self._table.get(resident.info.path) or resident

    async def _resize(self, found: ModelInfo, want: Want) -> Resident | None:
        """Make another context for a model in memory, with what it has read; None if that cannot be."""
        current = self._table.get(found.path)
        options = current.options if current else None
        if current is None or not current.alive or options is None:
            return None
        if current.busy:
            raise BackendError(answering(found))
        if not isinstance(current.model, ParkableModel):
            return None
        for wish in self._wishes.resize(found, want, options):
            choice = await self._bringer.choose(found, wish, want)
            if choice.plan.fits:
                return await self._resize_by(found, choice, current, current.model)
        return None

    async def _resize_by(
        self, found: ModelInfo, choice: Choice, current: Resident, model: ParkableModel
    ) -> Resident | None:
        self._table.change(found.path, info={"state": ModelState.RESIZING})
        try:
            await self._room.make(choice)
            await self._bringer.take_from_parks(found, choice)
            await model.resize(choice.plan.options)
        except BackendError as error:
            log.warning("%s stays as it is: %s", found.id, error.problem.what)
            return None
        finally:
            self._room.give_back(choice)
            self._table.change(found.path, info={"state": ModelState.READY})
        return self._bringer.settle(found, choice, model, current.load_ms)

    async def _replace(self, found: ModelInfo, want: Want, on_progress: Progress) -> Resident:
        """Load a model anew, in a task of its own, which `unload` may cancel without cancelling who waits.

        A model that is in memory in another way stays as it is if there is no room for it as wanted.
        """
        began = time.monotonic()
        if not self._bringer.settled(found):
            self._table.put(self._bringer.planned(found))
        task = asyncio.create_task(self._bringer.bring(found, want, on_progress))
        self._loading[found.path] = task
        try:
            resident = await task
            self._tally.swapped(found.id, time.monotonic() - began)
            return resident
        except BaseException as error:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)  # its worker is gone before anybody plans on
            if not self._bringer.settled(found):
                self._bringer.show_failure(found, error)
            if isinstance(error, asyncio.CancelledError) and found.path in self._given_up:
                raise BackendError(given_up(found)) from None
            raise
        finally:
            self._given_up.discard(found.path)
            del self._loading[found.path]
            self._learned.save()

    def learn(self, resident: Resident, timings: Timings, usage: Usage) -> None:
        """Note how fast a model was at an answer, for plans to come."""
        current = self._table.get(resident.info.path)
        if current is None or current.plan is None:
            return
        evaluated = usage.prompt_tokens - usage.reused_tokens
        prefill = (
            evaluated / timings.prefill_ms * 1e3 if evaluated >= _TELLING and timings.prefill_ms else None
        )
        speed = timings.decode_tps if usage.completion_tokens >= _TELLING else None
        self._learned.answered(current.info.path, current.plan.tokens_per_second, speed, prefill)

    def mark(self, resident: Resident, *, busy: bool, tokens: int | None = None) -> None:
        """Show whether a resident is answering, and after an answer how full its context is."""
        known = self._table.get(resident.info.path)
        if known is None or known.model is None:
            return
        answers = max(0, known.answers + (1 if busy else -1))
        info: dict[str, object] = {"state": ModelState.BUSY if answers else ModelState.READY}
        fields: dict[str, object] = {"used": time.monotonic(), "answers": answers}
        if tokens is not None:
            fields["tokens"] = tokens
            info["real_bytes"] = known.model.real_bytes()
        self._table.change(resident.info.path, info=info, **fields)

    def find(self, wanted: str) -> Resident | None:
        """The living resident called `wanted`, without loading anything."""
        current = self._table.named(wanted)
        return current if current is not None and current.alive else None

    async def pin(self, wanted: str, *, pinned: bool) -> bool:
        """Have a resident stay, or let it go again; says whether there is one."""
        current = self._table.named(wanted)
        if current is not None:
            self._table.change(current.info.path, pinned=pinned)
            if current.info.server:
                await self._attaching.keep(current, -1.0 if pinned else current.keep_alive_s)
        return current is not None

    async def drop_dead(self) -> None:
        """Forget residents whose process has died."""
        if self._table.dead:
            async with self._changing:
                await self._bringer.bury()

    async def unload(self, wanted: str) -> bool:
        """Give one model's memory back, or stop loading it; says whether there was one.

        Raises:
            BackendError: It is answering.
        """
        current = self._table.named(wanted)
        if current is None:
            return await self._unload_there(wanted)
        if self._attaching.give_up(current.info.path):
            return True
        task = self._loading.get(current.info.path)
        if task is not None:
            self._given_up.add(current.info.path)
            task.cancel()
            return True
        async with self._changing:
            current = self._table.get(current.info.path)
            if current is None:
                return False
            if current.busy:
                raise BackendError(answering(current.info))
            if current.info.server:
                await self._attaching.unload(current.info)
                return True
            await self._room.release(current.info.path)
        return True

    async def _unload_there(self, wanted: str) -> bool:
        """Unload what a server has loaded for others; says whether there is such a model."""
        found = await self._catalogue.resolve(wanted)
        if not (found.server and found.state.in_memory):
            return False
        await self._attaching.unload(found)
        return True

    async def unload_all(self) -> None:
        """Give all memory of ours back; loads that are on their way end. Servers keep what they have."""
        for path, task in list(self._loading.items()):
            self._given_up.add(path)
            task.cancel()
        async with self._changing:
            for each in self._table:
                if not each.info.server:
                    await self._room.release(each.info.path)
        self._learned.save()

    async def expire(self) -> None:
        """Unload what has been idle for longer than it is to be kept."""
        now = time.monotonic()
        for each in self._table:
            if each.expires is not None and each.expires <= now:
                log.info("%s has been idle for %.0f s", each.id, now - each.used)
                async with self._changing:
                    current = self._table.get(each.info.path)
                    if current is not None and current.expires is not None and current.expires <= now:
                        await self._room.release(each.info.path)
