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

SPEED, CONTEXT, GPUS, MACHINE = "speed", "context", "gpus", "machine"
ORDER = (SPEED, CONTEXT, GPUS, MACHINE)
"""The panels, from the top."""

KEPT = 40
"""Readings that a line over time is made of."""


class Panel(NamedTuple):
    """One panel: what it is made of, for telling whether anything changed, and how it is drawn in a width."""

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
        GPUS: _gpus(facts, trends),
        MACHINE: _machine(facts, trends),
    }


def _speed(facts: Facts, trends: Trends) -> Panel | None:
    if facts.sample is None or (facts.live is None and facts.last_answer is None):
        return None
    from tui_chat.ui.speeds import draw_speed, speeds_of

    speeds = speeds_of(facts, trends.of(SPEED))
    return Panel(speeds, lambda width: draw_speed(speeds, width))


def _context(facts: Facts) -> Panel | None:
    if facts.spent is None:
        return None
    from tui_chat.ui import gauge

    spent, policy = facts.spent, facts.session.policy if facts.session else Policy()
    dropping = gauge.dropping(facts.outlook.outcome if facts.outlook else None)
    return Panel((spent, policy, dropping), lambda width: gauge.panel(spent, policy, dropping, width))


def _gpus(facts: Facts, trends: Trends) -> Panel | None:
    if facts.sample is None:
        return None
    from tui_chat.ui import instruments

    sample, model = facts.sample, facts.model.id if facts.model else None
    before = {gpu.id: trends.of(gpu.id) for gpu in sample.gpus}

    def draw(width: int) -> Content:
        drawn: Sequence[Content] = [instruments.gpu(gpu, model, before, width) for gpu in sample.gpus]
        wrong = instruments.drivers(sample, width)
        return Content("\n\n").join([*drawn, *([wrong] if wrong else [])])

    return Panel((sample.gpus, sample.drivers, model), draw) if draw(80) else None


def _machine(facts: Facts, trends: Trends) -> Panel | None:
    if facts.sample is None:
        return None
    from tui_chat.ui import instruments

    sample, before, reads = facts.sample.machine, {"cpu": trends.of("cpu")}, facts.loading is not None
    return Panel((sample, reads), lambda width: instruments.machine(sample, before, width, reads=reads))
