"""The plan of the highlighted row in words: what is read before Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from tui_chat.chat.model import Problem
from tui_chat.ui import words
from tui_chat.ui.switcher.rows import Offer
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import DeviceSpec, DeviceUse, Plan
from tui_chat.wire.words import device, size, sizes

Namer = Callable[[str], str]
"""Gives a model's id as people know it."""


def free(devices: Sequence[DeviceSpec]) -> str:
    """Say what every device has free now; "" while nobody knows."""
    parts = [f"{device(d.name)} {size(d.free_bytes)}" for d in devices]
    return f"free: {' · '.join(parts)}" if parts else ""


def takes(devices: Sequence[DeviceUse]) -> str:
    """Say what a plan takes, device by device: ``weights 94 + KV 180 + compute 51 MiB in RAM``."""
    return "; ".join(_take(use) for use in devices if use.weights_bytes or use.kv_bytes or use.compute_bytes)


def _take(use: DeviceUse) -> str:
    named = (
        ("weights", use.weights_bytes),
        ("KV", use.kv_bytes),
        ("compute", use.compute_bytes),
        ("projector", use.projector_bytes),
    )
    there = [(name, count) for name, count in named if count]
    numbers, unit = sizes([count for _, count in there])
    parts = " + ".join(f"{name} {number}" for (name, _), number in zip(there, numbers, strict=True))
    return f"{parts} {unit} {'in' if use.name == 'ram' else 'on'} {device(use.name)}"


def sentence(offer: Offer | None, tokens: int, name_of: Namer, missing: Problem | None) -> Content:
    """Say what choosing `offer` does, before it is done.

    Args:
        offer: The highlighted row, or None without one.
        tokens: How many tokens the conversation has.
        name_of: Names the models that have to go.
        missing: Why the engine gives no plans, if it does not.
    """
    if offer is None:
        return Content("")
    if problem := offer.model.problem or offer.problem:
        text = Content.styled(
            " ".join(p for p in (problem.what, problem.kept, problem.remedy) if p), "$warning"
        )
        if offer.model.state is ModelState.BROKEN or offer.plan is None:
            return text
        return Content("\n").join([text, *_plan(offer.plan, tokens, name_of)])
    if offer.settled:
        return Content("\n").join([*_held(offer.model), *_also(offer.model)])
    if offer.plan is not None:
        return Content("\n").join([*_plan(offer.plan, tokens, name_of), *_also(offer.model)])
    if missing is not None:
        said = " ".join(part for part in (missing.what, missing.remedy) if part)
        return Content.assemble(("no plan: ", "$warning"), (said, "$muted"))
    return Content.styled("asking the engine what this would take …" if offer.asking else "", "$muted")


def _held(model: ModelInfo) -> list[Content]:
    lines = [Content.assemble(("in memory: ", "$accent"), "nothing has to be loaded")]
    if model.devices:
        lines.append(Content.styled(takes(model.devices), "$muted"))
    return lines


def _also(model: ModelInfo) -> list[Content]:
    return [Content.styled(f"also called {', '.join(model.aliases)}", "$muted")] if model.aliases else []


def _plan(plan: Plan, tokens: int, name_of: Namer) -> list[Content]:
    lines = [Content.assemble(("plan: ", "$accent" if plan.fits else "$warning"), plan.reason)]
    if plan.devices:
        lines.append(Content.styled(takes(plan.devices), "$muted"))
    if costs := " · ".join(_costs(plan, tokens, name_of)):
        lines.append(Content.styled(costs, "$foreground"))
    lines += [Content.styled(f"  or: {other}", "$muted") for other in plan.alternatives]
    return lines


def _costs(plan: Plan, tokens: int, name_of: Namer) -> list[str]:
    """What it costs beside memory: who goes, who gets smaller, and how long one waits."""
    costs = []
    if plan.evicts:
        costs.append(f"evicts {_listed(plan.evicts, name_of)}")
    if plan.shrinks:
        costs.append(f"shrinks the context of {_listed(plan.shrinks, name_of)}")
    if plan.load_s:
        costs.append(f"loads in about {words.roughly(plan.load_s)}")
    if plan.read_s and tokens:
        whole = f"this conversation ({words.count(tokens, 'token')})"
        costs.append(f"{whole} is read again in about {words.roughly(plan.read_s)}")
    return costs


def _listed(models: Sequence[str], name_of: Namer) -> str:
    return ", ".join(name_of(model) for model in models)
