"""Our policy in virtual time: exact sizes, contexts as large as needed, the cheapest set goes, KV parked.

Between turns it does what the engine does while nobody waits: parks what was read, loads what usually comes
next where nobody has to go for it, and reads files ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.memory.costs import COPY, RESIZE_S, Computer, Model
from tests.benchmarks.memory.parkstore import ParkStore
from tests.benchmarks.memory.policies import Policy, Resident
from tests.benchmarks.memory.workload import LEAST_CONTEXT, MOST_CONTEXT, Turn
from tui_chat.engine.ahead import GUESSES
from tui_chat.engine.parking import GROWN, LEFT_S
from tui_chat.engine.quiet import QUIET_S
from tui_chat.engine.swap.prewarm import LIKELY
from tui_chat.memory.residency import Habits, Occupant, cheapest_eviction

DESIRED = 8192
"""Tokens of context that a model gets if its conversation needs no more."""
_DEVICE = "device"
Choose = Callable[["Ours", int, float], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Last:
    """The last turn, when it was over, and how much its conversation holds since."""

    model: Model
    conversation: int
    tokens: int
    at: float


class Ours(Policy):
    """The swap manager's decisions, in parts, to see what each is worth.

    Args:
        models: Those that there are.
        computer: Where they run.
        parks: Where conversations are parked; None to park none.
        prewarms: Whether to load what usually comes next, where nothing has to go for it.
        reads_ahead: Whether to read the files of what may come next, while nobody waits.
        choose: Who goes, if not the cheapest set.
    """

    def __init__(
        self,
        models: dict[str, Model],
        computer: Computer,
        *,
        parks: Callable[[Computer], ParkStore] | None = ParkStore,
        prewarms: bool = True,
        reads_ahead: bool = True,
        choose: Choose | None = None,
    ) -> None:
        super().__init__(models, computer)
        self.habits = Habits()
        self.parked = parks(computer) if parks else None
        self._prewarms = prewarms
        self._reads_ahead = reads_ahead
        self._choose = choose or cheapest
        self._last: _Last | None = None
        self.wanted = ""

    def turn(self, turn: Turn) -> float:
        """Serve one turn, after what was done in the pause before it."""
        now = turn.at + self.tally.stall_s
        if self._last is not None:
            self._rest(self._last, now)
            self.tally.stall_s += self._displace(self._last, turn, now)
        self.habits.note(turn.model, now)
        stall = super().turn(turn)
        tokens = turn.history + turn.added
        over = turn.at + self.tally.stall_s
        self._last = _Last(self.models[turn.model], turn.conversation, tokens, over)
        return stall

    def _rest(self, last: _Last, now: float) -> None:
        """Do what there was time for since the last turn."""
        pause = now - last.at
        if self.parked is not None and pause >= QUIET_S:
            there = self.parked.tokens(last.model, last.conversation)
            wears = last.model.kv(last.tokens) > self.parked.ram and last.tokens < GROWN * there
            if pause >= LEFT_S or not wears:
                self.parked.park(last.model, last.conversation, last.tokens, last.at)
        if self._prewarms and pause >= QUIET_S:
            self._prewarm(last.at + QUIET_S)
        if self._reads_ahead and pause >= QUIET_S:
            self._read_ahead(pause - QUIET_S, now)

    def _displace(self, last: _Last, turn: Turn, now: float) -> float:
        """Park what was not parked in the pause, if this turn goes elsewhere: somebody waits for it."""
        if self.parked is None or (turn.model, turn.conversation) == (last.model.name, last.conversation):
            return 0.0
        if self.parked.tokens(last.model, last.conversation) >= last.tokens:
            return 0.0
        self.parked.park(last.model, last.conversation, last.tokens, now)
        return last.model.kv(last.tokens) / COPY

    def likely(self, now: float) -> Sequence[str]:
        """Models in the order in which they are expected to be wanted next."""
        return self.habits.likely(now)[:GUESSES]

    def _read_ahead(self, seconds: float, now: float) -> None:
        """Read files into RAM for as long as there is time; half a file counts for nothing."""
        for name in self.likely(now):
            model = self.models[name]
            if name in self.residents:
                continue
            if name not in self.files.held:
                seconds -= model.shape.file / self.files.computer.disk
            if seconds < 0:
                return
            self.files.hold(model)

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

    def next_guess(self) -> str | None:
        """What is likely enough to come next to be loaded before anybody asks."""
        likely = self.habits.likely_next()
        return likely if likely is not None and self.habits.next_chance(likely) >= LIKELY else None

    def _prewarm(self, now: float) -> None:
        guess = self.next_guess()
        if guess is None or guess in self.residents:
            return
        model = self.models[guess]
        if model.needs(DESIRED) <= self.free:
            seconds = self.load(model, DESIRED, now)
            self.residents[guess].ready_at = now + seconds


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
