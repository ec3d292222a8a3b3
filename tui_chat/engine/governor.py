"""Acts when hardware gets hot: warns, and holds answers up before a device has to slow itself down."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tui_chat.config.settings import GovernorSettings, HeatAction
from tui_chat.engine.swap.resident import Holdable
from tui_chat.wire.heat import Hot
from tui_chat.wire.telemetry import Sample

log = logging.getLogger(__name__)

CPU = "CPU"
COOLER_C = 8.0
"""How far below its critical temperature a device has to cool before answers go on, and below its warning
temperature before that is taken back."""
BLIND_S = 10.0
"""Nobody waits for a device of which nothing has been heard for so long."""
_BEAT_S = 0.25
"""A part of a duty cycle: where answers are slowed down, every other one is a pause."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How hot a device is, and from which °C on it slows itself down; `gpu` is None for processors."""

    device: str
    gpu: int | None
    temperature_c: float
    own_c: float | None


Workers = Callable[[], Sequence[Holdable]]
"""The models in memory."""


class Governor:
    """Looks at every sample. What is held goes on by itself, or when somebody says so.

    Args:
        settings: From where on what is done.
        workers: Who can be held.
        tell: Called whenever `hot` has changed.
    """

    def __init__(self, settings: GovernorSettings, workers: Workers, tell: Callable[[], None]) -> None:
        self.hot: tuple[Hot, ...] = ()
        self._settings = settings
        self._workers = workers
        self._tell = tell
        self._let: set[tuple[str, bool]] = set()
        self._beat = False
        self._looked = time.monotonic()

    def look(self, sample: Sample | None) -> None:
        """Take note of how hot everything is, and act; nothing is where nobody reads that any more."""
        self._looked = time.monotonic()
        readings = _readings(sample) if sample is not None else ()
        before = {each.device: each for each in self.hot}
        now = [self._judged(each, before.get(each.device)) for each in readings]
        hot = tuple(each for each in now if each is not None)
        self._let &= {(each.device, each.critical) for each in hot}
        if hot != self.hot:
            for each in hot:
                if each.held and not (each.device in before and before[each.device].held):
                    log.warning("%s at %.0f °C: answers wait", each.device, each.temperature_c)
            self.hot = hot
            self._tell()
        self.apply()

    def let_go(self) -> None:
        """Go on although it is hot, until what is hot has cooled down and got hot again."""
        self._let |= {(each.device, each.critical) for each in self.hot if each.held or each.slowed}
        self.hot = tuple(_released(each) for each in self.hot)
        self._tell()
        self.apply()

    async def run(self) -> None:
        """Beat time for answers that are slowed down, as long as the engine lives."""
        try:
            while True:
                self._beat = not self._beat
                if self.hot and time.monotonic() - self._looked > BLIND_S:
                    log.warning("nothing tells how hot it is any more; answers go on")
                    self.look(None)
                if any(each.slowed for each in self.hot):
                    self.apply()
                await asyncio.sleep(_BEAT_S)
        finally:
            self.hot = ()
            self.apply()

    def apply(self) -> None:
        """Hold the models that use what is too hot, and no others."""
        for worker in self._workers():
            uses = [each for each in self.hot if worker.uses(each.gpu)]
            slowed = any(each.slowed and (each.critical or worker.easy) for each in uses)
            worker.model.hold(any(each.held for each in uses) or (slowed and self._beat))

    def _judged(self, reading: Reading, before: Hot | None) -> Hot | None:
        """Whether a device is hot now; it stays so until it is some degrees cooler."""
        critical_c = min(self._settings.critical_c, reading.own_c or self._settings.critical_c)
        warn_c = min(self._settings.warn_c, critical_c - COOLER_C)
        was_critical = before is not None and before.critical
        critical = reading.temperature_c >= critical_c - (COOLER_C if was_critical else 0.0)
        if not critical and reading.temperature_c < warn_c - (COOLER_C if before is not None else 0.0):
            return None
        acts, action = (reading.device, critical) not in self._let, self._settings.action
        users = [worker for worker in self._workers() if worker.uses(reading.gpu)]
        held = acts and critical and action is HeatAction.PAUSE
        eased = action is not HeatAction.WARN and any(worker.easy for worker in users)
        return Hot(
            device=reading.device,
            gpu=reading.gpu,
            temperature_c=reading.temperature_c,
            below_c=(critical_c if critical else warn_c) - COOLER_C,
            critical=critical,
            held=held,
            slowed=acts and not held and (eased or (critical and action is HeatAction.SLOW)),
            unheld=tuple(worker.id for worker in users if not worker.model.can_hold) if critical else (),
        )


def _released(hot: Hot) -> Hot:
    return msgspec.structs.replace(hot, held=False, slowed=False)


def _readings(sample: Sample) -> Iterator[Reading]:
    machine = sample.machine
    if machine.temperature_c is not None:
        yield Reading(CPU, None, machine.temperature_c, machine.warn_c)
    for gpu in sample.gpus:
        if gpu.temperature_c is not None:
            yield Reading(f"GPU {gpu.number}", gpu.index, gpu.temperature_c, gpu.warn_c)
