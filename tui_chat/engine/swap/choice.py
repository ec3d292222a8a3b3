"""Chooses how to load a model beside, or instead of, those that are in memory."""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui_chat.backends.llamacpp.build import gpu_kinds
from tui_chat.backends.llamacpp.planning import Made, Planner, ram_bandwidth
from tui_chat.backends.protocol import BackendError, ParkableModel
from tui_chat.engine.swap.learned import Learned
from tui_chat.engine.swap.ledger import Ledger, adjusted, footprint, freed_by
from tui_chat.engine.swap.machine import MachineReader
from tui_chat.engine.swap.resident import Resident, Table
from tui_chat.library.files import files_of
from tui_chat.memory.devices import read_machine
from tui_chat.memory.forecast import resized
from tui_chat.memory.gguf import GgufError
from tui_chat.memory.machine import Machine
from tui_chat.memory.objective import OBJECTIVES
from tui_chat.memory.placement import LEAST_CONTEXT, Wish
from tui_chat.memory.residency import Habits, Occupant, eviction_cost, eviction_sets
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import DeviceKind, Plan

_DISTURBANCE = 0.05
"""Cost of touching one more neighbour, as `memory.objective` counts; halving a context is 0.5."""
_UNKNOWN_LOAD_S = 5.0
_AMPLE = 0.15
"""Of what a plan takes, this much to spare makes up for any error that its arithmetic can have."""
_SPARE = 512
"""Tokens that a context shrunk in place keeps free for the next turn."""


class Check(enum.Enum):
    """When llama.cpp itself lays a plan out, which takes a quarter of a second."""

    NEVER = enum.auto()
    TIGHT = enum.auto()
    ALWAYS = enum.auto()


Variant = tuple[tuple[Resident, ...], tuple[tuple[Resident, Plan], ...]]
"""Who goes, and who stays with a smaller context, by which plan."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan, and what has to happen for it: who goes, and whose context becomes how large."""

    plan: Plan
    cost: float
    evict: tuple[Resident, ...] = ()
    shrink: tuple[tuple[Resident, Plan], ...] = ()


class Chooser:
    """Makes choices for the machine and the residents as they are now."""

    def __init__(
        self,
        planner: Planner,
        table: Table,
        ledger: Ledger,
        learned: Learned,
        cache: Path,
        ram_limit: int | None = None,
        parked_ram: Callable[[], int] = lambda: 0,
    ) -> None:
        self.table = table
        self.ledger = ledger
        self.learned = learned
        self.planner = planner
        self._cache = cache
        self._ram_limit = ram_limit
        self._parked_ram = parked_ram
        self._bandwidth: float | None = None
        self._reader = MachineReader(lambda: read_machine(gpu_kinds(), self._bandwidth or 0.0))
        every = gpu_kinds() | {DeviceKind.GPU}  # a server may use GPUs that our llama.cpp was not built for
        self._servers_reader = MachineReader(lambda: read_machine(every, self._bandwidth or 0.0))
        self.habits = Habits(*learned.habits)

    async def machine(self, found: ModelInfo | None = None, *, with_parks: bool = False) -> Machine:
        """The devices as they are now, less what residents and loads on their way have been promised.

        They are those that can be used for `found`, or for models of our own. Parked conversations take no
        RAM, as they leave it for whoever needs it, unless `with_parks`.
        """
        if self._bandwidth is None:
            self._bandwidth = await asyncio.to_thread(ram_bandwidth, self._cache)
        reader = self._servers_reader if found is not None and found.server else self._reader
        left = self.ledger.left(await reader.read())
        if not with_parks:
            left = adjusted(left, [{left.ram.name: self._parked_ram()}])
        return left if self._ram_limit is None else self._limited(left, self._ram_limit)

    def _limited(self, machine: Machine, limit: int) -> Machine:
        """The machine with no more RAM than our models may take together."""
        taken = sum(each.plan.devices[-1].total_bytes for each in self.table if each.plan)
        total = min(machine.ram.total_bytes, limit)
        free = min(machine.ram.free_bytes, max(0, limit - taken))
        ram = msgspec.structs.replace(machine.ram, total_bytes=total, free_bytes=free)
        return Machine(machine.gpus, ram)

    async def choose(
        self,
        found: ModelInfo,
        wish: Wish,
        machine: Machine,
        *,
        check: Check = Check.TIGHT,
        force: bool = False,
        quiet: bool = False,
    ) -> Choice:
        """Choose how to load `found`. A choice whose plan does not fit says what is missing.

        Args:
            found: The model; if it is in memory already, it gives back what it has.
            wish: What is asked of the plan.
            machine: As from `machine`.
            check: When to have the outcome checked by llama.cpp itself.
            force: Whether pinned and answering models may go for it.
            quiet: Whether nobody may go or shrink for it.

        Raises:
            BackendError: The file is missing or no model.
        """
        room = self.room_for(found, machine)
        best: Choice | None = None
        async for evict, shrink in self._variants(found, force=force, quiet=quiet):
            price = self._price(evict, shrink, wish)
            if best is not None and best.plan.fits and best.cost <= price:
                break  # variants come cheapest first, and none of those left can be better
            made = await self._make(found, wish, without(room, evict, shrink), exact=False)
            choice = Choice(made.plan, made.cost + price, evict, shrink)
            if best is None or _rank(choice) < _rank(best):
                best = choice
        assert best is not None, "evicting nobody is always a variant"
        if best.plan.fits and await self._is_checked(found, best.plan, check):
            made = await self._make(found, wish, without(room, best.evict, best.shrink), exact=True)
            best = Choice(made.plan, best.cost, best.evict, best.shrink)
        return self._named(found, wish, best)

    async def _is_checked(self, found: ModelInfo, plan: Plan, check: Check) -> bool:
        """Whether llama.cpp has to be asked: where arithmetic is certain and there is room to spare, no."""
        if check is not Check.TIGHT:
            return check is Check.ALWAYS
        if not await self.planner.has_seen(plan.projector):
            return True
        spans = await self.planner.spans(await files_of_model(found))
        spare = (use.free_bytes - use.margin_bytes - use.total_bytes for use in plan.devices)
        ample = all(left >= _AMPLE * use.total_bytes for left, use in zip(spare, plan.devices, strict=True))
        return not (spans.profile.certain and ample)

    def restore_s(self, resident: Resident) -> float:
        """Seconds that bringing `resident` back is expected to take."""
        return self.learned.load_s(resident.info.path, resident.info.size_bytes) or _UNKNOWN_LOAD_S

    def room_for(self, found: ModelInfo, machine: Machine) -> Machine:
        """The machine as it is for `found`: with what it has itself, less what it could not have before."""
        own = self.table.get(found.path)
        changes = [{name: -size for name, size in self.learned.missing(found.path).items()}]
        if own is not None and own.plan is not None and own.model is not None:
            changes.append(footprint(own.plan))
        else:
            changes.append(self.ledger.of(found.path))  # it is on its way, and its room is its own
        return adjusted(machine, changes)

    async def _variants(self, found: ModelInfo, *, force: bool, quiet: bool) -> AsyncIterator[Variant]:
        """Yield who could go and whose context could shrink, the least disturbance first."""
        yield (), ()
        if quiet:
            return
        # One without a plan takes nothing of this machine.
        others = [each for each in self.table if each.model and each.plan and each.info.path != found.path]
        idle = [each for each in others if each.info.state is ModelState.READY]
        shrink = [(each, plan) for each in idle if (plan := await self._shrunk(each)) is not None]
        if shrink:
            yield (), tuple(shrink)
        free = {each.info.path: each for each in others if force or each.may_go}
        occupants = [Occupant(path, {}, self.restore_s(each)) for path, each in free.items()]
        for evict in eviction_sets(occupants, self.habits, time.time()):
            yield tuple(free[each.id] for each in evict), ()

    def _price(self, evict: Sequence[Resident], shrink: Sequence[object], wish: Wish) -> float:
        going = [Occupant(each.info.path, {}, self.restore_s(each)) for each in evict]
        lost = OBJECTIVES[wish.strategy].evictions * eviction_cost(going, self.habits, time.time())
        return lost + _DISTURBANCE * (len(evict) + len(shrink))

    async def _shrunk(self, resident: Resident) -> Plan | None:
        """The plan of an idle resident with a smaller context; None if that is not worth it."""
        now, plan = resident.options, resident.plan
        wanted = max(LEAST_CONTEXT, resident.tokens + _SPARE)
        if now is None or plan is None or wanted * 2 > now.context:
            return None
        if not isinstance(resident.model, ParkableModel):
            return None
        options = msgspec.structs.replace(now, context=wanted)
        spans = await self.planner.spans(await files_of_model(resident.info))
        return resized(plan, spans.profile, now, options)

    async def _make(self, found: ModelInfo, wish: Wish, machine: Machine, *, exact: bool) -> Made:
        make = self.planner.plan if exact else self.planner.sketch
        try:
            return await make(found.id, await files_of_model(found), wish, machine)
        except GgufError as error:
            raise BackendError(error.problem) from error

    def _named(self, found: ModelInfo, wish: Wish, choice: Choice) -> Choice:
        """Complete the plan with what only the manager knows."""
        plan, evict, shrink = choice.plan, choice.evict, tuple(each for each, _ in choice.shrink)
        words, reason = plan.verdict, plan.reason
        if not plan.fits:
            reason += f" That is with {_names(evict)} evicted." if evict else ""
            evict, shrink = (), ()  # nobody goes for nothing
        elif evict:
            words = f"fits after evicting {_names(evict)}"
        elif shrink:
            words = f"fits after shrinking {_names(shrink)}"
        plan = msgspec.structs.replace(
            plan,
            verdict=words,
            reason=reason,
            evicts=tuple(each.id for each in evict),
            shrinks=tuple(each.id for each in shrink),
            load_s=self.learned.load_s(found.path, found.size_bytes) if plan.fits else None,
            read_s=self.learned.read_s(found.path, wish.need) if wish.need else None,
            tokens_per_second=plan.tokens_per_second * self.learned.correction(found.path),
        )
        return Choice(plan, choice.cost, choice.evict, choice.shrink)


def _names(residents: Sequence[Resident]) -> str:
    return " and ".join(each.id for each in residents)


async def files_of_model(found: ModelInfo) -> list[Path]:
    """The files of a model, in order."""
    try:
        return [file.path for file in await asyncio.to_thread(files_of, Path(found.weights))]
    except (OSError, ValueError):
        return [Path(found.weights)]  # reading it will say what is wrong


def without(
    room: Machine, evict: Sequence[Resident], shrink: Sequence[tuple[Resident, Plan]] = ()
) -> Machine:
    """The machine once some are evicted and others have shrunk."""
    freed = [footprint(each.plan) for each in evict if each.plan]
    freed += [freed_by(each.plan, plan) for each, plan in shrink if each.plan]
    return adjusted(room, freed)


def _rank(choice: Choice) -> tuple[int, float]:
    return (choice.plan.shortfall_bytes, choice.cost)
