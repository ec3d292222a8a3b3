"""Replays days with several models against policies of swapping, in virtual time, and counts the waiting."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.benchmarks.harness import Row, at_least, at_most, informs
from tests.benchmarks.memory.costs import COMPUTERS, Computer, Files, Model, read_model
from tests.benchmarks.memory.files import published_files
from tests.benchmarks.memory.foresight import Clairvoyant
from tests.benchmarks.memory.ours import Ours, least_lately
from tests.benchmarks.memory.parkstore import ParkStore
from tests.benchmarks.memory.policies import CountedLru, Exclusive, Ollama, PatientOllama, Policy, Tally
from tests.benchmarks.memory.workload import MOST_CONTEXT, Turn, make_trace
from tui_chat.memory.machine import GIB, GPU_MARGIN

TURNS, DAYS = 400, 15
PARKED_LITTLE, PARKED_AMPLY = 4 * GIB, 32 * GIB
Make = Callable[[dict[str, Model], Computer], Policy]
BASELINES: dict[str, Make] = {
    "Ollama": Ollama,
    "llama-swap, exclusive group": Exclusive,
    "llama-server router, LRU of 4": CountedLru,
}
OURS = "ours"
PARTS: dict[str, Make] = {
    "without parking": partial(Ours, parks=None),
    "with 4 GiB of disk for parking": partial(Ours, parks=partial(ParkStore, disk=PARKED_LITTLE)),
    "with 32 GiB of disk for parking": partial(Ours, parks=partial(ParkStore, disk=PARKED_AMPLY)),
    "but the longest unused park goes": partial(Ours, parks=partial(ParkStore, by_age=True)),
    "without reading ahead": partial(Ours, reads_ahead=False),
    "without pre-warming by habit": partial(Ours, prewarms=False),
    "but the least lately used model goes": partial(Ours, choose=least_lately),
}
VARIANTS: dict[str, Make] = {"Ollama with keep_alive -1": PatientOllama, OURS: Ours} | PARTS


def rows() -> Iterator[Row]:
    """Replay the same days with every policy on every computer."""
    with published_files() as published:
        for computer in COMPUTERS:
            yield from _replay([read_model(path, computer) for path in published], computer)


def _replay(models: Sequence[Model], computer: Computer) -> Iterator[Row]:
    found = {
        name: [replay(make, models, computer, day) for day in range(DAYS)]
        for name, make in (BASELINES | VARIANTS).items()
    }
    where = computer.name
    for name, days in found.items():
        stall = statistics.median(day.stall_s for day in days)
        yield informs(f"{where}: {name}, stall in {TURNS} turns", stall, "s")
    for name in (*BASELINES, OURS):
        failures = sum(day.failed_loads + day.spills for day in found[name])
        yield informs(f"{where}: {name}, loads that did not fit", failures, "")
        false = sum(day.false_evictions for day in found[name])
        evictions = sum(day.evictions for day in found[name])
        yield informs(f"{where}: {name}, of {evictions} evictions needless", false, "")
    floor = statistics.median(unavoidable(models, computer, day) for day in range(DAYS))
    yield informs(f"{where}: of it no policy can avoid", floor, "s")
    least = min(_total(found[name]) for name in BASELINES)
    saved = 100 * (1 - _total(found[OURS]) / least)
    yield at_least(f"{where}: less stall than the best of three, all days together", saved, "%", 30)
    best = [min(found[name][day].stall_s for name in BASELINES) for day in range(DAYS)]
    each_day = f"{where}: less stall than whichever of the three is best that day, median"
    yield informs(each_day, _saved(found[OURS], best), "%")
    for name in PARTS:
        yield informs(f"{where}: the same {name}", _saved(found[name], best), "%")
    known = [foreseen(models, computer, day) for day in range(DAYS)]
    yield informs(f"{where}: the same if it knew the day's future", _saved(known, best), "%")
    bad = sum(day.failed_loads + day.spills + day.false_evictions for day in found[OURS])
    yield at_most(f"{where}: ours, loads that did not fit and needless evictions", bad, "", 0)


def _total(days: Sequence[Tally]) -> float:
    return sum(day.stall_s for day in days)


def _saved(days: Sequence[Tally], best: Sequence[float]) -> float:
    """Percent, in the median over the days."""
    return 100 * statistics.median(1 - day.stall_s / least for day, least in zip(days, best, strict=True))


def replay(make: Make, models: Sequence[Model], computer: Computer, day: int) -> Tally:
    """Replay one day."""
    chosen, turns = _day(models, computer, day)
    policy = make(chosen, computer)
    for turn in turns:
        policy.turn(turn)
    return policy.tally


def foreseen(models: Sequence[Model], computer: Computer, day: int) -> Tally:
    """Replay one day with a policy that knows it."""
    chosen, turns = _day(models, computer, day)
    policy = Clairvoyant(chosen, computer, turns)
    for turn in turns:
        policy.turn(turn)
    return policy.tally


def unavoidable(models: Sequence[Model], computer: Computer, day: int) -> float:
    """Seconds for the first load of each model, and to read what others wrote of a conversation."""
    chosen, turns = _day(models, computer, day)
    files, total = Files(computer), 0.0
    seen: dict[tuple[str, int], int] = {}
    for turn in turns:
        model, key = chosen[turn.model], (turn.model, turn.conversation)
        if turn.model not in files.held:
            total += files.load(model)
        total += model.read_s(turn.history - seen.get(key, 0))
        seen[key] = turn.history + turn.added
    return total


def _day(models: Sequence[Model], computer: Computer, day: int) -> tuple[dict[str, Model], list[Turn]]:
    """8 to 12 of the `models` that fit one at a time with the largest context, and what is done with them."""
    draw = random.Random(day)
    fitting = [model for model in models if model.needs(MOST_CONTEXT) <= computer.room - GPU_MARGIN]
    chosen = draw.sample(fitting, min(len(fitting), draw.randint(8, 12)))
    names = [model.name for model in chosen]
    return dict(zip(names, chosen, strict=True)), make_trace(names, TURNS, day)
