"""Warns before memory runs out, and says who took it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tui_chat.telemetry.growth import WINDOW_S, WORTH_BYTES
from tui_chat.telemetry.owners import Worker
from tui_chat.wire.scarce import RAM, Grower, Scarce
from tui_chat.wire.telemetry import GpuSample, Sample

log = logging.getLogger(__name__)

_LEAST_BYTES, _LEAST_SHARE = 512 << 20, 0.04
"""Of RAM: half of what plans leave free, because a plan may take all but that and be right."""
_GPU_LEAST_BYTES, _GPU_LEAST_SHARE = 256 << 20, 1 / 32
_BACK = 1.5
"""A warning is taken back when there is this much more than where it begins."""
_SOON_S = 20.0
_NEAR = 8.0
"""What shrinks counts as running out only below so many times the least: caches come and go above that."""
_TREND_S = (5.0, 15.0)
"""A trend is told from readings over at least, and at most, so many seconds."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """How much a device has left, of which `least` should stay, and who grew."""

    device: str
    free: int
    total: int
    least: int
    growers: tuple[Grower, ...]


class Watchdog:
    """Looks at every sample.

    Args:
        workers: Tells which processes are our models.
        tell: Called whenever `scarce` has changed.
    """

    def __init__(self, workers: Callable[[], Sequence[Worker]], tell: Callable[[], None]) -> None:
        self.scarce: tuple[Scarce, ...] = ()
        self._workers = workers
        self._tell = tell
        self._free: dict[str, deque[tuple[float, int]]] = {}
        self._taken: dict[str, deque[tuple[float, dict[int, int]]]] = {}

    def look(self, sample: Sample | None) -> None:
        """Take note of how much memory is left everywhere; of nothing where nobody reads that any more."""
        now = time.monotonic()
        warned = {each.device for each in self.scarce}
        names = {worker.pid: worker.model for worker in self._workers()}
        readings = self._readings(sample, now) if sample is not None else ()
        found = [self._judged(each, now, warned=each.device in warned) for each in readings]
        scarce = tuple(_named(each, names) for each in found if each is not None)
        for each in scarce:
            if each.device not in warned:
                log.warning("%s is running out: %d MiB left", each.device, each.free_bytes >> 20)
        if scarce != self.scarce:
            self.scarce = scarce
            self._tell()

    def _readings(self, sample: Sample, now: float) -> Iterator[_Reading]:
        machine = sample.machine
        if machine.ram_bytes:
            least = min(_LEAST_BYTES, int(machine.ram_bytes * _LEAST_SHARE))
            yield _Reading(RAM, machine.available_bytes, machine.ram_bytes, least, machine.growers)
        for gpu in sample.gpus:
            if gpu.total_bytes is not None and gpu.used_bytes is not None:
                least = min(_GPU_LEAST_BYTES, int(gpu.total_bytes * _GPU_LEAST_SHARE))
                free = max(0, gpu.total_bytes - gpu.used_bytes)
                yield _Reading(f"GPU {gpu.number}", free, gpu.total_bytes, least, self._growers(gpu, now))

    def _judged(self, reading: _Reading, now: float, *, warned: bool) -> Scarce | None:
        """Whether what a device has left is too little, or will soon be nothing."""
        left_s = self._left_s(reading, now)
        soon = left_s is not None and left_s < _SOON_S and reading.free < _NEAR * reading.least
        if not soon and reading.free >= reading.least * (_BACK if warned else 1.0):
            return None
        return Scarce(reading.device, reading.free, reading.total, left_s, reading.growers)

    def _left_s(self, reading: _Reading, now: float) -> float | None:
        """Seconds until nothing is left, by the trend of the last seconds; None if it does not shrink."""
        readings = self._free.setdefault(reading.device, deque())
        readings.append((now, reading.free))
        while now - readings[0][0] > _TREND_S[1]:
            readings.popleft()
        since, free = readings[0]
        if now - since < _TREND_S[0] or reading.free >= free:
            return None
        return reading.free / ((free - reading.free) / (now - since))

    def _growers(self, gpu: GpuSample, now: float) -> tuple[Grower, ...]:
        """Which processes take more of a GPU than a minute ago."""
        taken = {each.pid: each.used_bytes or 0 for each in gpu.processes or ()}
        history = self._taken.setdefault(gpu.id, deque())
        history.append((now, taken))
        while now - history[0][0] > WINDOW_S:
            history.popleft()
        before = history[0][1]
        names = {each.pid: each for each in gpu.processes or ()}
        growers = [
            Grower(pid, names[pid].name, bytes_ - before.get(pid, 0), names[pid].model)
            for pid, bytes_ in taken.items()
            if bytes_ - before.get(pid, 0) >= WORTH_BYTES
        ]
        return tuple(sorted(growers, key=lambda each: -each.grown_bytes))


def _named(scarce: Scarce, models: dict[int, str]) -> Scarce:
    """Say of our own workers which models they are."""
    growers = (
        msgspec.structs.replace(each, model=each.model or models.get(each.pid)) for each in scarce.growers
    )
    return msgspec.structs.replace(scarce, growers=tuple(growers))
