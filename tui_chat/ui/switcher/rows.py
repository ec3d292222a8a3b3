"""How one model is drawn in the list, in a given width: two shapes, for wide and for narrow terminals."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from textual.content import Content

from tui_chat.chat.model import Problem
from tui_chat.ui import words
from tui_chat.ui.facts import model_name
from tui_chat.ui.switcher.choice import Choice, step_context
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import KvType, Plan
from tui_chat.wire.words import size

WIDE = 100
"""From this width on, a row has quant, parameters and state in columns of their own."""

ASKING = "…"
"""Stands where a verdict is on its way."""

_STATES = {
    ModelState.ON_DISK: "on disk",
    ModelState.PLANNED: "planned",
    ModelState.EVICTING: "evicting",
    ModelState.SPAWNING: "starting",
    ModelState.LOADING: "loading",
    ModelState.WARMING: "warming",
    ModelState.READY: "ready",
    ModelState.BUSY: "answering",
    ModelState.RESIZING: "resizing",
    ModelState.PARKING: "parking",
    ModelState.PARKED: "parked",
    ModelState.FAILED: "failed",
    ModelState.BROKEN: "unusable",
}
_THERE = {ModelState.ON_DISK: "there", ModelState.FAILED: "away"}
"""Of models that servers have."""
_ALL_BUT_NAME = 55
"""Cells of a wide row beside name and verdict."""
_ALL_BUT_NAME_NARROW = 29


class Offer(msgspec.Struct, frozen=True):
    """All that a row shows.

    Attributes:
        choice: What was chosen for it.
        plan: What it takes as chosen; None while that is not known.
        latest: The newest plan, be it for another choice.
        problem: Why there is no plan.
        here: Whether this chat uses it.
        asking: Whether a plan is on its way.
    """

    model: ModelInfo
    choice: Choice = Choice()
    plan: Plan | None = None
    latest: Plan | None = None
    problem: Problem | None = None
    here: bool = False
    asking: bool = False

    @property
    def settled(self) -> bool:
        """Whether it is in memory as it is wanted, so that there is nothing to load."""
        held = self.model
        if not held.state.in_memory:
            return False
        kv_type = held.options.kv_type if held.options else None
        return self.choice.context in (None, held.context) and self.choice.kv_type in (None, kv_type)

    @property
    def context(self) -> int:
        """The context as chosen, planned or loaded; 0 while nobody knows."""
        if self.choice.context is not None:
            return self.choice.context
        plan = self.plan or self.latest
        planned = plan.options.context if plan else 0
        return self.model.context if self.model.state.in_memory else planned

    @property
    def kv_type(self) -> KvType | None:
        """The KV type as chosen, planned or loaded; None while nobody knows."""
        if self.choice.kv_type is not None:
            return self.choice.kv_type
        plan = self.plan or self.latest
        planned = plan.options if plan else None
        options = self.model.options if self.model.state.in_memory else planned
        return options.kv_type if options else None


def state_word(model: ModelInfo) -> str:
    """Say in a word where a model is."""
    if model.server and model.state in _THERE:
        return _THERE[model.state]
    return "pinned" if model.pinned and model.state is ModelState.READY else _STATES[model.state]


def mark(offer: Offer) -> tuple[str, str]:
    """The sign in front of a row and its style: how near the model is."""
    model, plan = offer.model, offer.plan
    if model.state is ModelState.BROKEN:
        return "✗", "$warning"
    if model.state.in_memory:
        return "●", "$accent"
    if model.state.on_its_way:
        return "◐", "$accent"
    if plan is None:
        return "○", "$muted"
    if not plan.fits:
        return "✗", "$warning"
    return ("○" if plan.evicts else "◐"), "$muted"


def verdict(offer: Offer) -> tuple[str, str]:
    """What switching to it comes to, in a few words, and their style."""
    model, plan = offer.model, offer.plan
    if model.problem is not None and model.state is ModelState.BROKEN:
        return model.problem.what, "$warning"
    if offer.settled:
        return "switch now", "$foreground"
    if model.state.on_its_way:
        part = f"{model.progress * 100:.0f} %" if model.progress is not None else ""
        left = words.left(model.eta_s).removeprefix(", ")
        return ", ".join(text for text in (part, left) if text), "$accent"
    if plan is None:
        return (offer.problem.what if offer.problem else ASKING if offer.asking else ""), "$muted"
    said = plan.verdict or ("fits" if plan.fits else f"needs {size(plan.shortfall_bytes)} more")
    soon = f", about {words.roughly(plan.load_s)}" if plan.fits and plan.load_s else ""
    return said + soon, "$foreground" if plan.fits else "$warning"


def bare_name(model: ModelInfo) -> str:
    """The model's name without its quant, which has a column of its own."""
    name = model_name(model.id, model)
    return name.removesuffix(f" {model.quant}") if model.quant else name


def row(offer: Offer, longest: int) -> Callable[[int], Content]:
    """Return what draws the row in a width, among rows whose `longest` name has so many cells."""

    def draw(width: int) -> Content:
        return _wide(offer, width, longest) if width >= WIDE else _narrow(offer, width)

    return draw


def _wide(offer: Offer, width: int, longest: int) -> Content:
    model = offer.model
    room = width - _ALL_BUT_NAME
    named = max(12, min(longest + 3, room * 45 // 100))
    said, style = verdict(offer)
    return Content.assemble(
        *_head(offer, named, with_quant=False),
        (
            f" {model.quant or '':<7.7} {words.parameters(model.parameters):>6}"
            f" {size(model.size_bytes):>9}  ",
            "$muted",
        ),
        *_knobs(offer),
        (f"{state_word(model):<10}", "$muted"),
        (words.shorten(said, max(0, room - named)), style),
    )


def _narrow(offer: Offer, width: int) -> Content:
    room = width - _ALL_BUT_NAME_NARROW
    named = max(14, room // 2)
    said, style = verdict(offer)
    if offer.model.state in (ModelState.BUSY, ModelState.PARKED, ModelState.FAILED) or offer.model.pinned:
        said = f"{state_word(offer.model)} · {said}" if said else state_word(offer.model)
    elif offer.model.state.on_its_way and not said:
        said = state_word(offer.model)
    elif len(said) > room - named and offer.plan is not None and offer.plan.evicts:
        said = f"evicts {' and '.join(offer.plan.evicts)}"
    return Content.assemble(
        *_head(offer, named, with_quant=True),
        (f" {size(offer.model.size_bytes):>8}  ", "$muted"),
        *_knobs(offer),
        (words.shorten(said, max(0, room - named)), style),
    )


def _head(offer: Offer, width: int, *, with_quant: bool) -> tuple[tuple[str, str], ...]:
    """Mark, name and the sign of this chat's model, in `width` cells beside the mark."""
    model = offer.model
    name = model_name(model.id, model) if with_quant else bare_name(model)
    here = " ←" if offer.here else ""
    name = words.shorten(name, width - len(here))
    sign, style = mark(offer)
    gap = " " * (width - len(name) - len(here))
    return (f"{sign} ", style), (name, "$foreground"), (here, "$accent"), (gap, "")


def _knobs(offer: Offer) -> tuple[tuple[str, str], ...]:
    """Context and KV type, with arrows where there is more or less to be had: 16 cells."""
    now, trained = offer.context, offer.model.trained_context
    if offer.model.state is ModelState.BROKEN or not now:
        return ((" " * 16, ""),)
    less = "◂" if step_context(now, trained, -1) != now and not offer.model.fixed else " "
    more = "▸" if step_context(now, trained, 1) != now and not offer.model.fixed else " "
    kv = "" if offer.model.fixed else str(offer.model.kv_type or offer.kv_type or "")
    return (
        (f"{less} ", "$accent"),
        (f"{words.context(now):>4}", "$foreground"),
        (f" {more}", "$accent"),
        (
            f" {kv:<6} ",
            "$muted",
        ),
    )
