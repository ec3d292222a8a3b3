"""Making room: idle contexts made smaller in place, and models let go with their conversations kept."""

from __future__ import annotations

import asyncio
import logging

from tui_chat.backends.protocol import BackendError, ParkableModel
from tui_chat.engine.parking import Parking
from tui_chat.engine.swap.choice import Choice
from tui_chat.engine.swap.ledger import Ledger
from tui_chat.engine.swap.resident import Resident, Table
from tui_chat.engine.tally import Tally
from tui_chat.memory.machine import Machine
from tui_chat.wire.api import ModelState
from tui_chat.wire.plan import Plan

log = logging.getLogger(__name__)

_TAKEN = (ModelState.PARKING, ModelState.RESIZING)


class Room:
    """Gives back what residents hold. One caller at a time, who first takes those concerned out of use."""

    def __init__(self, table: Table, ledger: Ledger, parking: Parking, tally: Tally) -> None:
        self._table = table
        self._ledger = ledger
        self._parking = parking
        self._tally = tally

    def take(self, choice: Choice, *, force: bool) -> bool:
        """Take out of use whom `choice` names, if all of them are still as they were when it was made."""
        going = [self._table.get(each.info.path) for each in choice.evict]
        shrinking = [self._table.get(each.info.path) for each, _ in choice.shrink]
        if not all(each and _is_there(each) and (force or each.may_go) for each in going):
            return False
        if not all(each and _is_there(each) and not each.busy for each in shrinking):
            return False
        for each in choice.evict:
            self._table.change(each.info.path, info={"state": ModelState.PARKING})
        for each, _ in choice.shrink:
            self._table.change(each.info.path, info={"state": ModelState.RESIZING})
        return True

    async def make(self, choice: Choice) -> None:
        """Shrink and evict those that were taken for `choice`."""
        for each, plan in choice.shrink:
            await self._shrink(each, plan)
        for each in choice.evict:
            log.info("evicting %s for %s", each.id, choice.plan.model)
            self._tally.evictions[each.id] += 1
            await self.release(each.info.path)

    async def _shrink(self, resident: Resident, plan: Plan) -> None:
        assert isinstance(resident.model, ParkableModel), "only such models are chosen for it"
        try:
            await resident.model.resize(plan.options)
        except BackendError as error:
            log.warning("%s goes, as its context cannot shrink: %s", resident.id, error.problem.what)
            await self.release(resident.info.path)
            return
        self._table.change(
            resident.info.path,
            plan=plan,
            info={
                "state": ModelState.READY,
                "options": plan.options,
                "context": resident.model.description.context,
                "devices": plan.devices,
                "real_bytes": resident.model.real_bytes(),
            },
        )

    async def take_from_parks(self, plan: Plan, machine: Machine) -> None:
        """Have as many parks leave RAM as stand in the way of `plan`.

        Args:
            plan: It was made as if parks in RAM took none of it.
            machine: As it is for the plan's model with them.
        """
        ram = plan.devices[-1]
        missing = ram.total_bytes + ram.margin_bytes - machine.ram.free_bytes
        if missing > 0 and self._parking.ram_bytes:
            log.info("taking %d MiB of parked conversations out of RAM for %s", missing >> 20, plan.model)
            await self._parking.give_ram_back(missing)

    def give_back(self, choice: Choice) -> None:
        """Let whoever was taken for `choice` and is still there be used again."""
        for each in (*choice.evict, *(shrunk for shrunk, _ in choice.shrink)):
            current = self._table.get(each.info.path)
            if current is not None and current.info.state in _TAKEN:
                self._table.change(each.info.path, info={"state": ModelState.READY})

    async def release(self, path: str) -> None:
        """Park what a resident has read, end its process, and forget it; returns when its memory is free.

        It is done to the end even if the caller is cancelled meanwhile: half a release would leave a
        model that nobody can use and that takes its memory.
        """
        work = asyncio.create_task(self._let_go(path))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await work
            raise

    async def _let_go(self, path: str) -> None:
        current = self._table.get(path)
        if current is None:
            return
        if current.model is not None:
            self._table.change(path, info={"state": ModelState.PARKING})
            if current.alive:
                await self._parking.keep(current.model)
            log.info("unloading %s", current.id)
            await current.model.close()
        self._ledger.release(path)
        self._table.remove(path)


def _is_there(resident: Resident) -> bool:
    return resident.alive and resident.info.state.in_memory
