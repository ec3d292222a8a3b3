"""Who goes when room is needed: never too many, never the wrong ones, and the cheapest that suffice."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import chain, combinations

import pytest

from tui_chat.memory.residency import HALF_LIFE_S, Habits, Occupant, cheapest_eviction, eviction_cost

GPU, OTHER, RAM = "gpu0", "gpu1", "ram"


def used(*ids: str, every: float = 60.0) -> tuple[Habits, float]:
    """Habits after `ids` were used in this order, and what time it is then."""
    habits, now = Habits(), 0.0
    for each in ids:
        now += every
        habits.note(each, now)
    return habits, now


def random_case(seed: int) -> tuple[list[Occupant], dict[str, int], Habits, float]:
    draw = random.Random(seed)
    devices = draw.sample([GPU, OTHER, RAM], draw.randint(1, 3))
    occupants = [
        Occupant(
            f"model{number}",
            {device: draw.randrange(0, 20) for device in devices},
            restore_s=draw.uniform(0.2, 30),
            held=draw.random() < 0.2,
        )
        for number in range(draw.randint(0, 8))
    ]
    missing = {device: draw.randrange(0, 40) for device in devices}
    names = [each.id for each in occupants] or ["nobody"]
    habits, now = used(*draw.choices(names, k=12))
    return occupants, missing, habits, now


def subsets(occupants: Sequence[Occupant]) -> Iterator[tuple[Occupant, ...]]:
    return chain.from_iterable(combinations(occupants, count) for count in range(len(occupants) + 1))


def suffices(chosen: Sequence[Occupant], missing: dict[str, int]) -> bool:
    return all(sum(each.frees.get(device, 0) for each in chosen) >= gap for device, gap in missing.items())


@pytest.mark.parametrize("seed", range(200))
def test_the_cheapest_set_is_as_cheap_as_any_that_suffices(seed: int) -> None:
    occupants, missing, habits, now = random_case(seed)
    chosen = cheapest_eviction(occupants, missing, habits, now)
    possible = [
        each for each in subsets([one for one in occupants if not one.held]) if suffices(each, missing)
    ]
    if not possible:
        assert chosen is None
        return
    assert chosen is not None
    least = min(eviction_cost(each, habits, now) for each in possible)
    assert eviction_cost(chosen, habits, now) == pytest.approx(least)
    assert suffices(chosen, missing)
    assert not any(each.held for each in chosen)


@pytest.mark.parametrize("seed", range(200))
def test_nobody_goes_who_could_have_stayed(seed: int) -> None:
    occupants, missing, habits, now = random_case(seed)
    chosen = cheapest_eviction(occupants, missing, habits, now) or ()
    for each in chosen:
        assert not suffices([other for other in chosen if other is not each], missing)


def test_a_crowd_too_large_to_try_all_loses_no_more_than_it_must() -> None:
    occupants = [
        Occupant(f"model{number}", {GPU: 1 + number % 3}, restore_s=number + 1) for number in range(16)
    ]
    missing = {GPU: 27}
    chosen = cheapest_eviction(occupants, missing, Habits(), 0.0)
    assert chosen is not None
    assert suffices(chosen, missing)
    for each in chosen:
        assert not suffices([other for other in chosen if other is not each], missing)


def test_nothing_missing_costs_nobody_a_place() -> None:
    occupants = [Occupant("idle", {GPU: 5}, restore_s=0.1)]
    assert cheapest_eviction(occupants, {GPU: 0, RAM: -3}, Habits(), 0.0) == ()


def test_each_device_is_freed_on_its_own() -> None:
    occupants = [
        Occupant("left", {GPU: 10}, restore_s=1.0),
        Occupant("right", {OTHER: 10}, restore_s=1.0),
        Occupant("both", {GPU: 10, OTHER: 10}, restore_s=5.0),
    ]
    habits = Habits()
    assert ids(cheapest_eviction(occupants, {OTHER: 8}, habits, 0.0)) == {"right"}
    assert ids(cheapest_eviction(occupants, {GPU: 8, OTHER: 8}, habits, 0.0)) == {"left", "right"}
    assert ids(cheapest_eviction(occupants[:1] + occupants[2:], {GPU: 8, OTHER: 8}, habits, 0.0)) == {"both"}


def test_where_only_those_who_must_stay_would_do_nobody_goes() -> None:
    occupants = [Occupant("answering", {GPU: 10}, 1.0, held=True), Occupant("idle", {GPU: 4}, 1.0)]
    assert cheapest_eviction(occupants, {GPU: 8}, Habits(), 0.0) is None


def test_what_is_used_most_stays() -> None:
    habits, now = used("daily", "rare", "daily", "daily", "now", "daily", "now")
    occupants = [Occupant("daily", {GPU: 10}, 5.0), Occupant("rare", {GPU: 10}, 5.0)]
    assert ids(cheapest_eviction(occupants, {GPU: 8}, habits, now)) == {"rare"}


def test_what_takes_long_to_return_stays_if_all_else_is_alike() -> None:
    occupants = [Occupant("large", {GPU: 20}, 12.0), Occupant("small", {GPU: 10}, 3.0)]
    assert ids(cheapest_eviction(occupants, {GPU: 8}, Habits(), 0.0)) == {"small"}


def test_old_uses_count_less() -> None:
    habits, now = used("old", "old", "old", every=1.0)
    at_first = habits.score("old", now)
    assert habits.score("old", now + HALF_LIFE_S) == pytest.approx(at_first / 2)
    later = now + 5 * HALF_LIFE_S
    habits.note("new", later)
    habits.note("current", later)
    assert habits.chance("new", later) > habits.chance("old", later)


def test_what_usually_follows_is_expected_next() -> None:
    habits, now = used("chat", "code", "chat", "code", "chat", "prose", "chat", "code", "chat")
    assert habits.likely_next() == "code"
    assert habits.next_chance("code") > habits.next_chance("prose") > habits.next_chance("never") == 0.0
    assert habits.chance("code", now) > habits.chance("prose", now)


def test_a_turn_to_the_same_model_is_no_habit() -> None:
    habits, _ = used("chat", "chat", "chat")
    assert habits.likely_next() is None


@pytest.mark.parametrize("seed", range(20))
def test_chances_of_the_others_are_a_distribution(seed: int) -> None:
    draw = random.Random(seed)
    names = ["a", "b", "c", "d"]
    habits, now = used(*draw.choices(names, k=draw.randint(1, 40)))
    others = [name for name in habits.scores if name != habits.current]
    chances = [habits.chance(name, now) for name in others]
    assert all(0 < chance <= 1 for chance in chances)
    if others:
        assert sum(chances) == pytest.approx(1)
    assert 0 < habits.chance("never", now) < min([*chances, 1])


def ids(chosen: Sequence[Occupant] | None) -> set[str]:
    assert chosen is not None
    return {each.id for each in chosen}
