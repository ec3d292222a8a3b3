"""Our policy where it knows the rest of the day: how much of the waiting better guesses could still save."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.memory.costs import Computer, Model
from tests.benchmarks.memory.ours import Ours
from tests.benchmarks.memory.parkstore import ParkStore
from tests.benchmarks.memory.workload import Turn

_ENDLESS = 1 << 50


class Clairvoyant(Ours):
    """Who is wanted last goes (Belady's rule), what comes next is made ready, and every park is kept."""

    def __init__(self, models: dict[str, Model], computer: Computer, turns: Sequence[Turn]) -> None:
        super().__init__(models, computer, parks=lambda c: ParkStore(c, _ENDLESS), choose=_wanted_last)
        self._coming = [turn.model for turn in reversed(turns)]

    def turn(self, turn: Turn) -> float:
        """Serve one turn."""
        stall = super().turn(turn)
        self._coming.pop()
        return stall

    def likely(self, now: float) -> Sequence[str]:
        """Models in the order in which they will be wanted."""
        return list(dict.fromkeys(reversed(self._coming)))

    def next_guess(self) -> str | None:
        """The next one that is not there."""
        return next((name for name in self.likely(0.0) if name not in self.residents), None)


def _wanted_last(policy: Ours, missing: int, now: float) -> Sequence[str]:
    """As few as will do of those that are wanted last or never again."""
    order = {name: place for place, name in enumerate(policy.likely(now))}
    chosen: list[str] = []
    for name in sorted(policy.residents, key=lambda name: -order.get(name, len(order))):
        if missing > 0 and name != policy.wanted:
            chosen.append(name)
            missing -= policy.residents[name].size
    for name in list(chosen):
        if policy.residents[name].size <= -missing:
            chosen.remove(name)
            missing += policy.residents[name].size
    return chosen
