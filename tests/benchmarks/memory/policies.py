"""Who stays in memory and who goes: how three others decide it, and what each decision costs.

Facts about the others are those of their sources in the summer of 2026. All of them run llama-server, which
keeps conversations in up to 8 GiB of RAM (``--cache-ram``) as long as its process lives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass, field

from tests.benchmarks.memory.costs import COPY, END_S, Computer, Files, Model
from tests.benchmarks.memory.workload import MOST_CONTEXT, Turn
from tui_chat.memory.machine import GIB, GPU_MARGIN, MIB

KEEP_ALIVE_S = 300.0
_OLLAMA_MODELS = 3
_OLLAMA_SHARE = 0.8
_OLLAMA_BATCH = 768 * MIB
"""What Ollama adds for the batch of 1024 that it chooses for contexts above 4,096."""
_OLLAMA_POLL_S = 0.25
"""Ollama looks this often whether the memory of a model that it ended is free."""
_HOST_CACHE = 8 * GIB
_ROUTER_MODELS = 4


@dataclass(slots=True)
class Resident:
    """A model in memory. `live` is the conversation in its cache, `seen` how much of each it still has."""

    model: Model
    context: int
    size: int
    used_at: float = 0.0
    ready_at: float = 0.0
    live: int | None = None
    seen: OrderedDict[int, int] = field(default_factory=OrderedDict)

    @property
    def tokens(self) -> int:
        """Tokens of the conversation in its cache."""
        return self.seen.get(self.live, 0) if self.live is not None else 0


@dataclass(slots=True)
class Tally:
    """What a policy came to. Evictions are false if the next model would have fitted without them."""

    stall_s: float = 0.0
    loads: int = 0
    evictions: int = 0
    false_evictions: int = 0
    failed_loads: int = 0
    spills: int = 0


class Policy(ABC):
    """Replays turns. A stall is what a person waits that reading their message alone would not take."""

    keep_alive_s = float("inf")

    def __init__(self, models: dict[str, Model], computer: Computer) -> None:
        self.models = models
        self.room = computer.room - GPU_MARGIN
        self.residents: dict[str, Resident] = {}
        self.files = Files(computer)
        self.tally = Tally()

    @property
    def free(self) -> int:
        """Bytes that nobody has."""
        return self.room - sum(each.size for each in self.residents.values())

    def turn(self, turn: Turn) -> float:
        """Serve one turn; returns its stall in seconds, by which all that follows is later."""
        now = turn.at + self.tally.stall_s
        self.expire(now)
        stall = self.make_ready(self.models[turn.model], turn, now)
        resident = self.residents[turn.model]
        stall += self.catch_up(resident, turn)
        resident.live, resident.used_at = turn.conversation, now + stall
        resident.seen[turn.conversation] = turn.history + turn.added
        resident.seen.move_to_end(turn.conversation)
        self.tally.stall_s += stall
        return stall

    def expire(self, now: float) -> None:
        """End what was not used for as long as the policy keeps it."""
        for name, each in list(self.residents.items()):
            if now - each.used_at > self.keep_alive_s:
                del self.residents[name]

    @abstractmethod
    def make_ready(self, model: Model, turn: Turn, now: float) -> float:
        """Have `model` in memory; returns the seconds that took."""

    def catch_up(self, resident: Resident, turn: Turn) -> float:
        """Have the conversation so far in the cache: from there, from the host's cache, or read anew."""
        if resident.live == turn.conversation:
            return resident.model.read_s(turn.history - resident.tokens)
        copied = resident.model.kv(resident.tokens) if resident.live is not None else 0
        self._forget(resident, turn.conversation)
        held = resident.seen.get(turn.conversation, 0)
        copied += resident.model.kv(held) if held else 0
        return copied / COPY + resident.model.read_s(turn.history - held)

    def _forget(self, resident: Resident, wanted: int) -> None:
        """Drop what the host's cache has no room for, the oldest first."""
        while sum(map(resident.model.kv, resident.seen.values())) > _HOST_CACHE:
            oldest = next(iter(resident.seen))
            if oldest == wanted and len(resident.seen) == 1:
                return
            del resident.seen[oldest]

    def load(self, model: Model, context: int, now: float) -> float:
        """Load into what is free."""
        size = model.needs(context)
        if size > self.free:
            self.tally.spills += 1
            size = self.free
        self.residents[model.name] = Resident(model, context, size, used_at=now)
        self.tally.loads += 1
        return self.files.load(model)

    def evict(self, victims: list[Resident], needed: int) -> float:
        """End `victims`; those that need not have gone for `needed` bytes are counted as false."""
        for victim in victims:
            del self.residents[victim.model.name]
        self.tally.evictions += len(victims)
        self.tally.false_evictions += sum(self.free - victim.size >= needed for victim in victims)
        return END_S * len(victims)


class Exclusive(Policy):
    """llama-swap's exclusive group: one model at a time, and nothing known about memory."""

    def make_ready(self, model: Model, turn: Turn, now: float) -> float:
        """Swap whenever another model is wanted."""
        if model.name in self.residents:
            return 0.0
        ended = self.evict(list(self.residents.values()), model.needs(MOST_CONTEXT))
        return ended + self.load(model, MOST_CONTEXT, now)


class CountedLru(Policy):
    """llama-server's router: up to four models, the least lately used goes; what does not fit fails.

    The person is taken to unload everything at once then, and to try again.
    """

    def make_ready(self, model: Model, turn: Turn, now: float) -> float:
        """Load beside up to three others."""
        if model.name in self.residents:
            return 0.0
        needed, stall = model.needs(MOST_CONTEXT), 0.0
        if len(self.residents) >= _ROUTER_MODELS:
            stall += self.evict([min(self.residents.values(), key=lambda each: each.used_at)], needed)
        if needed > self.free:
            self.tally.failed_loads += 1
            stall += self.files.load(model) + self.evict(list(self.residents.values()), needed)
        return stall + self.load(model, MOST_CONTEXT, now)


class Ollama(Policy):
    """Ollama's scheduler: its own formula says what fits, keep-alive and then the name says who goes.

    A load that takes more than was predicted is fitted by llama-server, with layers left to the CPU: it
    is counted as a spill, and the slow answers that follow are not.
    """

    keep_alive_s = KEEP_ALIVE_S

    def make_ready(self, model: Model, turn: Turn, now: float) -> float:
        """Evict one by one until the prediction is under 80 % of what is free, or nobody is left."""
        if model.name in self.residents:
            return 0.0
        predicted = model.shape.ollama(MOST_CONTEXT) + _OLLAMA_BATCH
        needed = model.needs(MOST_CONTEXT)
        victims: list[Resident] = []
        for name in sorted(self.residents):
            free = self.free + sum(victim.size for victim in victims)
            few = len(self.residents) - len(victims) < _OLLAMA_MODELS
            if few and predicted <= _OLLAMA_SHARE * free:
                break
            victims.append(self.residents[name])
        stall = self.evict(victims, needed) + _OLLAMA_POLL_S * len(victims)
        return stall + self.load(model, MOST_CONTEXT, now)


class PatientOllama(Ollama):
    """The same with ``keep_alive`` -1."""

    keep_alive_s = float("inf")
