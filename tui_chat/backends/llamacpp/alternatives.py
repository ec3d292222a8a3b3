"""Finds what would fit where a plan does not: at most three ways, nearest first, each of them planned."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.memory.alternatives import everything_less, instead, one_thing_less, speed
from tui_chat.memory.gguf import GgufError
from tui_chat.memory.machine import Machine
from tui_chat.memory.placement import Wish
from tui_chat.memory.wording import tokens
from tui_chat.wire.plan import Plan

_MOST = 3
_LESS = 2
"""Of these, ways to ask for less; so that others are told too."""


class Model(NamedTuple):
    """A model by its name, with its files in order."""

    name: str
    files: Sequence[Path]


class Relief(NamedTuple):
    """Something that gives memory back, said as ``after unpinning qwen3-8b``, and the machine after it."""

    words: str
    machine: Machine


async def alternatives(
    planner: Planner,
    model: Model,
    wish: Wish,
    machine: Machine,
    *,
    reliefs: Iterable[Relief] = (),
    smaller: Iterable[Model] = (),
    correction: float = 1.0,
) -> tuple[str, ...]:
    """Say in whole sentences what would fit instead of `wish`, which does not.

    Args:
        planner: Makes the plans, by arithmetic.
        model: What was asked for.
        wish: How it was asked for.
        machine: What is free when everything has gone that may go.
        reliefs: What could be done for more memory, what disturbs least first.
        smaller: Smaller quants of the model, the largest first.
        correction: Between the speed that is predicted for the model and the one it has here.

    Raises:
        GgufError: A file of the model is missing or no GGUF file.
    """

    async def fitting(instead_of: Wish, where: Machine = machine, which: Model = model) -> Plan | None:
        plan = (await planner.sketch(which.name, which.files, instead_of, where)).plan
        return plan if plan.fits else None

    profile = (await planner.spans(model.files)).profile
    found: list[str] = []
    for less in one_thing_less(wish, profile):
        if len(found) < _LESS and (plan := await fitting(less)):
            found.append(instead(wish, plan, correction))
    for relief in reliefs:
        if await fitting(wish, relief.machine):
            found.append(f"It fits {relief.words}.")
            break
    for other in smaller:
        with contextlib.suppress(GgufError):  # it may have gone meanwhile
            if plan := await fitting(wish, which=other):
                context = f"with {tokens(plan.options.context)} of context"
                found.append(f"{other.name}, a smaller quant on this machine, fits {context}{speed(plan)}.")
                break
    if not found:
        for less in everything_less(wish, profile):
            if plan := await fitting(less):
                return (instead(wish, plan, correction),)
        if wish.need and (plan := await fitting(replace(wish, need=0, context=None))):
            return (f"In a new chat it fits, with {tokens(plan.options.context)} of context.",)
    return tuple(dict.fromkeys(found))[:_MOST]
