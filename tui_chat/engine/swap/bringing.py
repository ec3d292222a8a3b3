"""How a model comes into memory: by a plan that holds, with room made for it."""

from __future__ import annotations

import dataclasses
from functools import partial

import msgspec

from tui_chat.backends.protocol import Backend, BackendError, LoadedModel
from tui_chat.chat.model import ProblemCode
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.parking import Parking
from tui_chat.engine.swap.alternatives import Alternatives
from tui_chat.engine.swap.choice import Choice, Chooser
from tui_chat.engine.swap.loading import Loader
from tui_chat.engine.swap.problems import no_room_beside
from tui_chat.engine.swap.resident import Progress, Resident, Want
from tui_chat.engine.swap.room import Room
from tui_chat.engine.swap.wishes import Wishes
from tui_chat.engine.tally import Tally
from tui_chat.memory.placement import Wish
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import KvType, Plan

_TRIES = 3
"""Plans tried for one load when memory turns out not to be there."""
_TRYING = (ModelState.SPAWNING, ModelState.LOADING, ModelState.WARMING)


class Bringer:
    """Brings models into memory, for one caller at a time: whoever holds the right to change residents."""

    def __init__(
        self,
        backend: Backend,
        catalogue: Catalogue,
        wishes: Wishes,
        chooser: Chooser,
        parking: Parking,
        alternatives: Alternatives,
        tally: Tally,
    ) -> None:
        self.room = Room(chooser.table, chooser.ledger, parking, tally)
        self._tally = tally
        self._alternatives = alternatives
        self._chooser = chooser
        self._table = chooser.table
        self._ledger = chooser.ledger
        self._wishes = wishes
        self._loader = Loader(backend, catalogue, chooser.table, chooser.learned, tally)

    async def choose(self, found: ModelInfo, wish: Wish, want: Want) -> Choice:
        """Choose, and take whom the choice concerns out of use; some may have begun to answer meanwhile."""
        while True:
            await self.bury()  # whoever has died cannot be taken, and would be chosen again and again
            machine = await self._chooser.machine(found)
            choice = await self._chooser.choose(found, wish, machine, force=want.force, quiet=want.quiet)
            if not choice.plan.fits or self.room.take(choice, force=want.force):
                return choice

    def show_failure(self, found: ModelInfo, error: BaseException) -> None:
        """Have a model that was tried and could not be loaded listed so; others are as they were, on disk."""
        current = self._table.get(found.path)
        if current is not None and current.info.state in _TRYING and isinstance(error, BackendError):
            info = {"state": ModelState.FAILED, "problem": error.problem, "progress": None, "eta_s": None}
            self._table.change(found.path, info=info)
        else:
            self._table.remove(found.path)

    async def bring(self, found: ModelInfo, want: Want, on_progress: Progress) -> Resident:
        """Load by a plan that holds; by a smaller one after each allocation that fails.

        Raises:
            BackendError: There is no room, or it cannot be loaded.
        """
        wish = self._wishes.load(found, want)
        for attempt in range(1, _TRIES + 1):
            choice = await self.choose(found, wish, want)
            if want.quiet and (not choice.plan.fits or _is_makeshift(choice.plan, wish)):
                raise BackendError(no_room_beside(found))
            if not choice.plan.fits:
                raise BackendError(await self._alternatives.no_room(found, wish, choice.plan))
            try:
                clear = partial(self._clear, found, choice)
                loaded = await self._loader.load(found, choice, clear, on_progress)
                return self.settle(found, choice, loaded.model, loaded.seconds * 1e3)
            except BackendError as error:
                if error.problem.code is not ProblemCode.OUT_OF_MEMORY or attempt == _TRIES:
                    raise
            finally:
                self.room.give_back(choice)
                if not self.settled(found):
                    self._ledger.release(found.path)
        raise AssertionError("the last try returns or raises")

    async def _clear(self, found: ModelInfo, choice: Choice) -> None:
        """Have the memory that the choice counts on free, and nobody else count on it."""
        before = self._table.get(found.path)
        if before is not None and before.model is not None:  # it is in memory in another way until now
            await self.room.release(found.path)
            self._table.put(dataclasses.replace(before, info=self.planned(found).info, model=None, plan=None))
        if choice.evict or choice.shrink:
            self._table.change(found.path, info={"state": ModelState.EVICTING})
            await self.room.make(choice)
        await self.take_from_parks(found, choice)
        self._ledger.reserve(found.path, choice.plan)

    async def take_from_parks(self, found: ModelInfo, choice: Choice) -> None:
        """Have as many parks leave RAM as stand in the way of `choice`."""
        machine = await self._chooser.machine(found, with_parks=True)
        await self.room.take_from_parks(choice.plan, self._chooser.room_for(found, machine))

    def planned(self, found: ModelInfo) -> Resident:
        """How a model is listed that somebody wants, and nothing else has happened to yet."""
        info = msgspec.structs.replace(found, state=ModelState.PLANNED)
        return Resident(info=info, keep_alive_s=self._wishes.keep_alive_s(found))

    def settled(self, found: ModelInfo) -> bool:
        """Whether the model is in memory."""
        current = self._table.get(found.path)
        return current is not None and current.model is not None

    def settle(self, found: ModelInfo, choice: Choice, model: LoadedModel, load_ms: float) -> Resident:
        """Show a model as ready, in the plan that it was loaded or resized by."""
        described = model.description
        self._ledger.settle(found.path, choice.plan)
        info = msgspec.structs.replace(
            found,
            state=ModelState.READY,
            context=described.context,
            trained_context=described.trained_context,
            parameters=described.parameters,
            architecture=described.architecture,
            options=choice.plan.options,
            devices=choice.plan.devices,
            real_bytes=model.real_bytes(),
            capabilities=() if choice.plan.blind or described.blind else found.capabilities,
        )
        known = self._table.get(found.path) or self.planned(found)
        resident = dataclasses.replace(known, info=info, plan=choice.plan, model=model, load_ms=load_ms)
        return self._table.put(resident)

    async def bury(self) -> None:
        """Forget the dead."""
        for each in self._table.dead:
            self._tally.deaths[each.id] += 1
            await self.room.release(each.info.path)


def _is_makeshift(plan: Plan, wish: Wish) -> bool:
    """Whether somebody with all memory to dispose of would load it otherwise."""
    return plan.options.context < wish.desired or plan.options.kv_type is not (wish.kv_type or KvType.F16)
