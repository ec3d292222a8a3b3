"""Our policy in virtual time: exact sizes, contexts as large as needed, the cheapest set goes, KV parked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from tests.benchmarks.memory.costs import COPY, RESIZE_S, Computer, Model
from tests.benchmarks.memory.policies import Policy, Resident
from tests.benchmarks.memory.workload import LEAST_CONTEXT, MOST_CONTEXT, Turn
from tui_chat.memory.machine import GIB
from tui_chat.memory.residency import Habits, Occupant, cheapest_eviction

DESIRED = 8192
"""Tokens of context that a model gets if its conversation needs no more."""
PARKED_RAM, PARKED_DISK = 2 * GIB, 4 * GIB
"""Bytes for parked conversations, as the settings have them."""
_DEVICE = "device"
Choose = Callable[["Ours", int, float], Sequence[str]]


class ParkStore:
    """What is parked, by model and conversation: in RAM up to a budget, then on disk, then nowhere."""

    def __init__(self, disk: int, speed: float) -> None:
        self._room = PARKED_RAM + disk
        self._speed = speed
        self._parked: OrderedDict[tuple[str, int], tuple[int, int]] = OrderedDict()

    def park(self, model: Model, conversation: int, tokens: int) -> None:
        """Keep that many tokens. It happens while the answer is read, and so nobody waits for it."""
        size = model.kv(tokens)
        self._parked[model.name, conversation] = (tokens, size)
        self._parked.move_to_end((model.name, conversation))
        while sum(size for _, size in self._parked.values()) > self._room:
            self._parked.popitem(last=False)

    def restore(self, model: Model, conversation: int) -> tuple[int, float]:
        """How many tokens are kept, and the seconds that restoring them takes."""
        key = (model.name, conversation)
        if key not in self._parked:
            return 0, 0.0
        tokens, size = self._parked[key]
        newest = 0
        for name in reversed(self._parked):
            newest += self._parked[name][1]
            if name == key:
                break
        return tokens, size / (COPY if newest <= PARKED_RAM else min(COPY, self._speed))


class Ours(Policy):
    """The swap manager's decisions, in parts, to see what each is worth.

    Args:
        models: Those that there are.
        computer: Where they run.
        disk: Bytes of disk for parked conversations; None to park none.
        prewarms: Whether to load what usually comes next, where nothing has to go for it.
        choose: Who goes, if not the cheapest set.
    """

    def __init__(
        self,
        models: dict[str, Model],
        computer: Computer,
        *,
        disk: int | None = PARKED_DISK,
        prewarms: bool = False,
        choose: Choose | None = None,
    ) -> None:
        super().__init__(models, computer)
        self.habits = Habits()
        self.parked = None if disk is None else ParkStore(disk, computer.disk)
        self._prewarms = prewarms
        self._choose = choose or cheapest
        self.wanted = ""

    def turn(self, turn: Turn) -> float:
        """Serve one turn, and perhaps load what usually comes next while the answer is read."""
        self.habits.note(turn.model, turn.at + self.tally.stall_s)
        stall = super().turn(turn)
        if self.parked is not None:
            self.parked.park(self.models[turn.model], turn.conversation, turn.history + turn.added)
        if self._prewarms:
            self._prewarm(turn.at + self.tally.stall_s)
        return stall

    def make_ready(self, model: Model, turn: Turn, now: float) -> float:
        """Load, or grow the context in place, with as much room made as that takes."""
        needed = context_for(turn.history + turn.added)
        resident = self.residents.get(model.name)
        if resident is None:
            context = max(needed, DESIRED)
            if model.needs(context) > self.free:
                context = needed
            return self._make_room(model.needs(context), model.name, now) + self.load(model, context, now)
        waited = max(0.0, resident.ready_at - now)
        if resident.context >= needed:
            return waited
        size = model.needs(needed)
        stall = self._make_room(size - resident.size, model.name, now) + self._resized(resident)
        resident.context, resident.size = needed, size
        return waited + stall

    def catch_up(self, resident: Resident, turn: Turn) -> float:
        """Have the conversation so far in the cache: from there, from where it was parked, or read anew."""
        model = resident.model
        if resident.live == turn.conversation:
            return model.read_s(turn.history - resident.tokens)
        resident.seen.clear()
        held, restored = self.parked.restore(model, turn.conversation) if self.parked else (0, 0.0)
        return min(restored + model.read_s(turn.history - held), model.read_s(turn.history))

    def return_s(self, resident: Resident) -> float:
        """Seconds to bring a resident back once it is gone, its conversation included."""
        again = resident.model.read_s(resident.tokens)
        if self.parked is not None:
            again = min(again, resident.model.kv(resident.tokens) / COPY)
        return self.files.load_s(resident.model) + again

    def _make_room(self, needed: int, wanted: str, now: float) -> float:
        missing = needed - self.free
        if missing <= 0:
            return 0.0
        others = [each for name, each in self.residents.items() if name != wanted]
        shrinkable = {each.model.name: each.size - each.model.needs(_least(each)) for each in others}
        if sum(shrinkable.values()) >= missing:
            return self._shrink(others, shrinkable, missing)
        self.wanted = wanted
        victims = [self.residents[name] for name in self._choose(self, missing, now)]
        return self.evict(victims, needed)

    def _shrink(self, others: list[Resident], shrinkable: dict[str, int], missing: int) -> float:
        stall = 0.0
        for each in sorted(others, key=lambda other: -shrinkable[other.model.name]):
            if missing <= 0:
                break
            missing -= shrinkable[each.model.name]
            each.context = _least(each)
            each.size = each.model.needs(each.context)
            stall += self._resized(each)
        return stall

    def _resized(self, resident: Resident) -> float:
        return RESIZE_S + 2 * resident.model.kv(resident.tokens) / COPY

    def _prewarm(self, now: float) -> None:
        likely = self.habits.likely_next()
        if likely is None or likely in self.residents:
            return
        model = self.models[likely]
        if model.needs(DESIRED) <= self.free:
            seconds = self.load(model, DESIRED, now)
            self.residents[likely].ready_at = now + seconds


def context_for(tokens: int) -> int:
    """The smallest context of a power of two that holds `tokens`."""
    return min(MOST_CONTEXT, max(LEAST_CONTEXT, 1 << (tokens - 1).bit_length()))


def _least(resident: Resident) -> int:
    return min(resident.context, context_for(resident.tokens + 1))


def cheapest(policy: Ours, missing: int, now: float) -> Sequence[str]:
    """The set that residency.py names: chance of reuse times seconds to return."""
    occupants = [
        Occupant(name, {_DEVICE: each.size}, policy.return_s(each), held=name == policy.wanted)
        for name, each in policy.residents.items()
    ]
    chosen = cheapest_eviction(occupants, {_DEVICE: missing}, policy.habits, now)
    assert chosen is not None, "every model of the trace fits alone"
    return [each.id for each in chosen]


def least_lately(policy: Ours, missing: int, now: float) -> Sequence[str]:
    """One after the other, the least lately used first, until it suffices."""
    chosen: list[str] = []
    for name, each in sorted(policy.residents.items(), key=lambda pair: pair[1].used_at):
        if missing <= 0:
            break
        if name != policy.wanted:
            chosen.append(name)
            missing -= each.size
    return chosen
