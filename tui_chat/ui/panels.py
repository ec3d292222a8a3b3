"""What the panels beside the conversation show, made of what is known; drawn in whatever width there is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from tui_chat.chat.policy import Policy

if TYPE_CHECKING:
    from tui_chat.ui.facts import Facts
    from tui_chat.wire.telemetry import Sample

SPEED, CONTEXT, MODEL, GPUS, MACHINE = "speed", "context", "model", "gpus", "machine"
ORDER = (SPEED, CONTEXT, MODEL, GPUS, MACHINE)
"""The panels, from the top, as they usually are."""

KEPT = 40
"""Readings that a line over time is made of."""


class Panel(NamedTuple):
    """One panel.

    Attributes:
        title: What it is about.
        gist: What matters most of it, the most important first, for when it is folded into a line.
        facts: What it is made of, for telling whether anything changed.
        draw: Draws it in a width.
    """

    title: str
    gist: tuple[str, ...]
    facts: object
    draw: Callable[[int], Content]


class Trends:
    """What was read lately, oldest first: ``cpu``, ``speed``, and temperatures by the GPU's id."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[float]] = {}

    def note(self, what: str, value: float | None) -> None:
        """Take note of a reading, if there is one."""
        if value is not None:
            self._kept.setdefault(what, deque(maxlen=KEPT)).append(value)

    def read(self, sample: Sample) -> None:
        """Take note of all readings of a sample."""
        self.note("cpu", sample.machine.busy)
        for gpu in sample.gpus:
            self.note(gpu.id, gpu.temperature_c)

    def forget(self, what: str) -> None:
        """Begin anew with something."""
        self._kept.pop(what, None)

    def of(self, what: str) -> tuple[float, ...]:
        """What was read of something."""
        return tuple(self._kept.get(what, ()))


def panels(facts: Facts, trends: Trends) -> Mapping[str, Panel | None]:
    """Every panel by its name; None where there is nothing to show."""
    return {
        SPEED: _speed(facts, trends),
        CONTEXT: _context(facts),
        MODEL: _model(facts),
        GPUS: _gpus(facts, trends),
        MACHINE: _machine(facts, trends),
    }


def _speed(facts: Facts, trends: Trends) -> Panel | None:
    if facts.sample is None or (facts.live is None and facts.last_answer is None):
        return None
    from tui_chat.ui.speeds import draw_speed, gist, speeds_of

    speeds = speeds_of(facts, trends.of(SPEED))
    return Panel("speed", gist(speeds), speeds, lambda width: draw_speed(speeds, width))


def _context(facts: Facts) -> Panel | None:
    if facts.spent is None:
        return None
    from tui_chat.ui import gauge

    spent, policy = facts.spent, facts.session.policy if facts.session else Policy()
    dropping = gauge.dropping(facts.outlook.outcome if facts.outlook else None)
    return Panel(
        "context",
        (gauge.share(spent), f"{gauge.filled(spent)} tokens"),
        (spent, policy, dropping),
        lambda width: gauge.panel(spent, policy, dropping, width),
    )


def _model(facts: Facts) -> Panel | None:
    if facts.sample is None or facts.model is None or not facts.model.devices:
        return None
    from tui_chat.ui import planned

    name, uses = facts.name_of(facts.model.id), planned.taken_by(facts.model, facts.sample.gpus)
    short = planned.in_short(uses)
    return Panel(
        "model",
        (short,) if short else (),
        (name, uses),
        lambda width: planned.draw_taken(name, uses, width),
    )


def _gpus(facts: Facts, trends: Trends) -> Panel | None:
    if facts.sample is None:
        return None
    from tui_chat.ui.instruments import drivers

    model = facts.model.id if facts.model else None
    some = facts.sample.gpus or drivers(facts.sample, 80)
    return gpus_panel(facts.sample, model, trends) if some else None


def gpus_panel(sample: Sample, model: str | None, trends: Trends, none: str = "") -> Panel:
    """The panel of all GPUs, of which `model` is in use; where there is none, it says `none`."""
    from tui_chat.ui import instruments

    before = {gpu.id: trends.of(gpu.id) for gpu in sample.gpus}

    def draw(width: int) -> Content:
        drawn: Sequence[Content] = [instruments.gpu(gpu, model, before, width) for gpu in sample.gpus]
        wrong = instruments.drivers(sample, width)
        return Content("\n\n").join([*drawn, *([wrong] if wrong else [])] or [Content.styled(none, "$muted")])

    title, gist = instruments.gpus_in_short(sample.gpus)
    return Panel(title, gist or ((none,) if none else ()), (sample.gpus, sample.drivers, model), draw)


def _machine(facts: Facts, trends: Trends) -> Panel | None:
    if facts.sample is None:
        return None
    return machine_panel(facts.sample, trends, reads=facts.loading is not None)


def machine_panel(sample: Sample, trends: Trends, *, reads: bool) -> Panel:
    """The panel of the machine; with what disks read, while a model `reads` its file."""
    from tui_chat.ui import instruments

    machine, before = sample.machine, {"cpu": trends.of("cpu")}
    return Panel(
        "CPU",
        instruments.machine_in_short(machine),
        (machine, reads),
        lambda width: instruments.machine(machine, before, width, reads=reads),
    )
