"""Where conversations are parked in virtual time: as the product does it, in RAM and on disk."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.memory.costs import COPY, Computer, Model
from tui_chat.engine.parking import usual_ram_limit
from tui_chat.store.parks.disk import usual_limit
from tui_chat.store.parks.entries import worth


@dataclass(frozen=True, slots=True)
class _Parked:
    tokens: int
    size: int
    saves_s: float
    used: float


class ParkStore:
    """What is parked, by model and conversation: the newest in RAM up to a budget, the rest on disk.

    Args:
        computer: Its RAM and disk give the budgets, unless said otherwise.
        disk: Bytes of disk; None for what is usual on such a disk.
        by_age: Whether the longest unused goes first, and not what is worth the least.
    """

    def __init__(self, computer: Computer, disk: int | None = None, *, by_age: bool = False) -> None:
        self.ram = usual_ram_limit(computer.files)
        self._disk = usual_limit(computer.disk_free) if disk is None else disk
        self._speed = min(COPY, computer.disk)
        self._by_age = by_age
        self._parked: dict[tuple[str, int], _Parked] = {}

    def tokens(self, model: Model, conversation: int) -> int:
        """How many tokens are kept of a conversation."""
        parked = self._parked.get((model.name, conversation))
        return parked.tokens if parked else 0

    def park(self, model: Model, conversation: int, tokens: int, now: float) -> None:
        """Keep that many tokens if restoring them is quicker than reading them, at the cost of others."""
        size = model.kv(tokens)
        saves_s = model.read_s(tokens) - size / self._speed
        if saves_s <= 0:
            return
        self._parked.pop((model.name, conversation), None)
        self._parked[model.name, conversation] = _Parked(tokens, size, saves_s, now)
        while sum(each.size for each in self._parked.values()) > self.ram + self._disk:
            del self._parked[min(self._parked, key=lambda name: self._rank(name, now))]

    def _rank(self, name: tuple[str, int], now: float) -> float:
        each = self._parked[name]
        return each.used if self._by_age else worth(each.saves_s, each.size, now - each.used)

    def restore(self, model: Model, conversation: int) -> tuple[int, float]:
        """How many tokens are kept, and the seconds that restoring them takes."""
        key = (model.name, conversation)
        if key not in self._parked:
            return 0, 0.0
        newer = 0
        for name in reversed(self._parked):
            newer += self._parked[name].size
            if name == key:
                break
        parked = self._parked[key]
        return parked.tokens, parked.size / (COPY if newer <= self.ram else self._speed)
