"""Who stays in memory and who goes: the set whose loss is expected to cost the least time.

Evicting a model costs what it takes to bring it back, times the chance that somebody will want it back.
The chance comes from how often and how lately it was used, and from what people here turn to after the
model that is in use now.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

HALF_LIFE_S = 4 * 3600.0
"""After this long a use counts half."""
_EXACT = 7
"""Up to this many occupants every subset is tried; beyond it, only those of the few cheapest."""
_PRIOR = 2.0
"""How many observed switches the share of all uses weighs as much as."""
_UNUSED = 0.1
"""Uses that are shared out among the models that were used, so that none is ever thought impossible."""


@dataclass(frozen=True, slots=True)
class Occupant:
    """A model in memory, as far as its going matters.

    Attributes:
        frees: Bytes that its going gives back, by device.
        restore_s: Seconds to bring it back: load, and what its conversation takes.
        held: Whether it must stay: pinned, answering, or on its way.
    """

    id: str
    frees: Mapping[str, int]
    restore_s: float
    held: bool = False


@dataclass(slots=True)
class Habits:
    """What has been used when, and after what. Times are in seconds of any one clock."""

    scores: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Uses per model, each halved every `HALF_LIFE_S`, and when that was summed up."""
    followers: dict[str, dict[str, float]] = field(default_factory=dict)
    """How often each model came after each other one."""
    current: str | None = None

    def note(self, id: str, now: float) -> None:
        """Note that `id` is used."""
        self.scores[id] = (self.score(id, now) + 1.0, now)
        if self.current not in (None, id):
            after = self.followers.setdefault(str(self.current), {})
            after[id] = after.get(id, 0.0) + 1.0
        self.current = id

    def score(self, id: str, now: float) -> float:
        """Uses of `id`, old ones counting less."""
        score, at = self.scores.get(id, (0.0, now))
        return score * math.exp2(-max(0.0, now - at) / HALF_LIFE_S)

    def chance(self, id: str, now: float) -> float:
        """Chance that `id` is what is turned to next, 0..1.

        What followed the model in use so far, and while little is known of that, how much each is used.
        """
        after = self.followers.get(self.current or "", {})
        seen = sum(after.values())
        return min(1.0, (after.get(id, 0.0) + _PRIOR * self._share(id, now)) / (seen + _PRIOR))

    def _share(self, id: str, now: float) -> float:
        """Uses of `id` as a share of those of all models but the one in use."""
        others = [other for other in self.scores if other != self.current]
        total = sum(self.score(other, now) for other in others)
        return (self.score(id, now) + _UNUSED / max(1, len(others))) / (total + _UNUSED)

    def next_chance(self, id: str) -> float:
        """Chance that `id` is what is turned to after the model in use now."""
        after = self.followers.get(self.current or "", {})
        total = sum(after.values())
        return after.get(id, 0.0) / (total + 1.0)

    @property
    def latest(self) -> float:
        """When something was last used in this life; 0 if nothing was."""
        return self.scores.get(self.current or "", (0.0, 0.0))[1]

    def likely(self, now: float) -> list[str]:
        """All that was ever used but what is in use now, the likeliest to be turned to next first."""
        others = (name for name in self.scores if name != self.current)
        return sorted(others, key=lambda name: -self.chance(name, now))

    def likely_next(self) -> str | None:
        """The model most often turned to after the one in use now; None where nothing is known."""
        after = self.followers.get(self.current or "", {})
        return max(after, key=lambda name: after[name], default=None)


def eviction_cost(occupants: Iterable[Occupant], habits: Habits, now: float) -> float:
    """Seconds that are expected to be lost when all of `occupants` go."""
    return sum(habits.chance(each.id, now) * each.restore_s for each in occupants)


def eviction_sets(
    occupants: Sequence[Occupant], habits: Habits, now: float
) -> Iterator[tuple[Occupant, ...]]:
    """Yield the sets worth evicting, the cheapest first; at last, all.

    Every subset of the few that are cheapest to lose, in the order of its cost; then one more at a time.
    """
    free = [each for each in occupants if not each.held]
    free.sort(key=lambda each: eviction_cost([each], habits, now))
    few = free[:_EXACT]
    subsets = [s for count in range(1, len(few) + 1) for s in combinations(few, count)]
    subsets.sort(key=lambda chosen: (eviction_cost(chosen, habits, now), len(chosen)))
    yield from subsets
    for count in range(len(few) + 1, len(free) + 1):
        yield tuple(free[:count])


def cheapest_eviction(
    occupants: Sequence[Occupant], missing: Mapping[str, int], habits: Habits, now: float
) -> tuple[Occupant, ...] | None:
    """The cheapest set whose going frees the `missing` bytes of every device; None if none does.

    Only what closes the gap goes: no set contains another that would do.
    """
    if all(gap <= 0 for gap in missing.values()):
        return ()
    enough = (chosen for chosen in eviction_sets(occupants, habits, now) if _frees(chosen, missing))
    first = next(enough, None)
    return None if first is None else _trimmed(first, missing)


def _frees(chosen: Iterable[Occupant], missing: Mapping[str, int]) -> bool:
    chosen = tuple(chosen)
    return all(sum(each.frees.get(device, 0) for each in chosen) >= gap for device, gap in missing.items())


def _trimmed(useful: Sequence[Occupant], missing: Mapping[str, int]) -> tuple[Occupant, ...]:
    """All of them, less those that can stay after all, the dearest first."""
    chosen = list(useful)
    for each in reversed(useful):
        rest = [other for other in chosen if other is not each]
        if _frees(rest, missing):
            chosen = rest
    return tuple(chosen)
