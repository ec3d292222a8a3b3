"""How a server's models are drawn, and those that it is still getting."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.servers import words as said
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import Capability, Pull, PullState, ServedModel
from tui_chat.wire.words import size, sizes

_NARROW = 50
"""Below this width there is room for name, size, and whether it is loaded."""
_WIDE = 100
"""From this width on, quant, parameters and what it can do have columns of their own."""
_NAME_MOST = 0.4
"""Of the width, the most that names get."""
_CAN_CELLS = 26
_SHORTEST_BAR, _SHORT_BAR, _LONG_BAR = 4, 10, 20

Draw = Callable[[int], Content]
"""Draws a row in a width."""
Progress = Callable[[int], str]
"""Says how far a pull is, with a bar of so many cells."""


def abilities(model: ServedModel) -> str:
    """Name what it can do, beside talking: ``thinking, tools``."""
    beside = [each.value for each in model.capabilities if each is not Capability.CHAT]
    return ", ".join(beside)


def model_row(model: ServedModel, longest: int, *, here: bool) -> Draw:
    """Return what draws a model in a width, among those whose `longest` name has so many cells.

    `here`: this chat uses it.
    """

    def draw(width: int) -> Content:
        named = max(14, min(longest + 3, round(width * _NAME_MOST)))
        mark = ("● ", "$accent") if model.loaded else ("○ ", "$muted")
        sign = " ←" if here else ""
        name = words.shorten(clean_line(model.name), named - len(sign))
        gap = " " * (named - len(name) - len(sign))
        facts = [f"{size(model.size_bytes) if model.size_bytes else '':>9}"]
        tokens = model.context or model.trained_context
        if width >= _NARROW:
            facts.append(f"{words.context(tokens) if tokens else '':>5}")
        if width >= _WIDE:
            facts[:0] = [f"{clean_line(model.quant):<8.8}", f"{words.parameters(model.parameters):>6}"]
            facts.append(f" {words.shorten(abilities(model), _CAN_CELLS):<{_CAN_CELLS}}")
        left = Content.assemble(mark, (name, "$foreground"), (sign, "$accent"), gap, " ")
        left = Content.assemble(left, (" ".join(facts), "$muted"), "  ")
        told = _held(model) if width >= _NARROW else "loaded" if model.loaded else ""
        held = Content.styled(told, "$foreground" if model.loaded else "$muted")
        return Content.assemble(left, held).truncate(width, ellipsis=True)

    return draw


def _held(model: ServedModel) -> str:
    if model.loaded is None:
        return ""
    if not model.loaded:
        return "not loaded"
    return ", ".join(part for part in ("loaded", said.holding(model)) if part)


def pull_row(pull: Pull, progress: Progress) -> Draw:
    """Return what draws a model that is being fetched or made, or was; `progress` says how far it is."""

    def draw(width: int) -> Content:
        running = pull.state is PullState.RUNNING
        named = max(14, round(width * _NAME_MOST))
        name = words.shorten(clean_line(pull.model), named)
        left = Content.assemble(
            ("↓ ", "$accent" if running else "$muted"),
            (f"{name:<{named}}", "$foreground"),
            " ",
        )
        bar = _LONG_BAR if width >= _WIDE else _SHORT_BAR if width >= _NARROW else _SHORTEST_BAR
        told = progress(bar) if running else _ended(pull)
        return Content.assemble(left, (told, "$accent" if running else "$muted")).truncate(
            width, ellipsis=True
        )

    return draw


def _ended(pull: Pull) -> str:
    (done, total), unit = sizes([pull.done, pull.total])
    how = "stopped" if pull.state is PullState.CANCELLED else "broke off"
    return f"{how} at {done} of {total} {unit}"


def about(model: ServedModel) -> Content:
    """Say of the highlighted model what its row has no room for."""
    facts = [
        f"can {', '.join(each.value for each in model.capabilities)}" if model.capabilities else "",
        clean_line(model.architecture),
        f"trained for {model.trained_context:,} tokens" if model.trained_context else "",
        f"loaded with {model.context:,}" if model.loaded and model.context else "",
    ]
    return Content.styled(" · ".join(fact for fact in facts if fact), "$muted")
