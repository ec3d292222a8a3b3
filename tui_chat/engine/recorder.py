"""Records the machine while an answer is written: how hot, what memory and power, what was in its way."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tui_chat import __version__
from tui_chat.backends.protocol import LoadedModel
from tui_chat.chat.flight import Cause, Flight
from tui_chat.chat.numbers import most
from tui_chat.engine.swap.resident import Resident
from tui_chat.wire.plan import DeviceKind
from tui_chat.wire.telemetry import GpuSample, MachineSample, Sample, Throttle

STALL_S, STALL_TIMES = 0.25, 5.0
"""Tokens stand still where the next are this late, and this many times later than as a rule."""


_CAUSES = {
    Throttle.HEAT: Cause.HEAT,
    Throttle.HEAT_HARDWARE: Cause.HEAT,
    Throttle.POWER_LIMIT: Cause.POWER,
    Throttle.POWER_BRAKE: Cause.POWER,
    Throttle.HARDWARE: Cause.HARDWARE,
    Throttle.SYNC: Cause.HARDWARE,
}


@dataclass(frozen=True, slots=True)
class _Span:
    """So many seconds, what was read of the machine then, and of the GPUs that the model uses."""

    seconds: float
    machine: MachineSample
    gpus: tuple[GpuSample, ...]


@dataclass(slots=True)
class Recorder:
    """Records one answer: give it every sample and the moment of every piece of text, then ask for `flight`.

    A sample holds until the next one; the first one holds from the beginning.
    """

    resident: Resident
    model: LoadedModel
    began: float = field(default_factory=time.monotonic)
    _samples: list[tuple[float, Sample]] = field(default_factory=list)
    _pieces: list[tuple[float, int]] = field(default_factory=list)
    _peak_ram: int = 0

    def look(self, sample: Sample | None) -> None:
        """Take note of a sample, if there is one."""
        self._peak_ram = max(self._peak_ram, self.model.real_bytes())
        if sample is not None:
            self._samples.append((time.monotonic(), sample))

    def piece(self, tokens: int) -> None:
        """Take note that text has come, which so many tokens make up."""
        self._pieces.append((time.monotonic(), tokens))

    @property
    def steps(self) -> list[tuple[float, int]]:
        """Seconds from each piece of text to the next, and how many tokens that one has."""
        return [(later - earlier, tokens) for (earlier, _), (later, tokens) in pairwise(self._pieces)]

    def flight(self) -> Flight:
        """Put together what was recorded; the answer is at its end."""
        ended = time.monotonic()
        info, options = self.resident.info, self.resident.options
        spans = list(self._spans(ended))
        gpus = [gpu for span in spans for gpu in span.gpus]
        power_w = _mean((span.seconds, _watts(span)) for span in spans)
        clock_mhz = _mean((span.seconds, span.machine.clock_mhz) for span in spans)
        causes = [(span.seconds, tuple(_causes(span.gpus))) for span in spans]
        return Flight(
            quant=info.quant,
            backend=self.model.description.backend,
            version=__version__,
            context=info.context,
            kv_type=options.kv_type.value if options is not None else "",
            layers=sum(use.layers for use in info.devices),
            gpu_layers=sum(use.layers for use in info.devices if use.kind is not DeviceKind.RAM),
            peak_ram_bytes=self._peak_ram or None,
            peak_vram_bytes=most(_vram(span.gpus, info.id, ours=True) for span in spans),
            cpu_c=most(span.machine.temperature_c for span in spans),
            gpu_c=most(gpu.temperature_c for gpu in gpus),
            power_w=power_w,
            energy_j=None if power_w is None else power_w * (ended - self.began),
            stalled_ms=_stalled_s([seconds for seconds, _ in self.steps]) * 1e3,
            throttled_ms=sum(seconds for seconds, found in causes if found) * 1e3,
            throttled_by=tuple(dict.fromkeys(cause for _, found in causes for cause in found)),
            other_cpu=_mean((span.seconds, _others(span.machine)) for span in spans),
            other_vram_bytes=most(_vram(span.gpus, info.id, ours=False) for span in spans),
            cpu_mhz=None if clock_mhz is None else round(clock_mhz),
        )

    def _spans(self, ended: float) -> Iterator[_Span]:
        used = {
            int(use.name.removeprefix("gpu"))
            for use in self.resident.info.devices
            if use.kind is not DeviceKind.RAM and use.total_bytes
        }
        starts = [self.began, *(at for at, _ in self._samples[1:])]
        ends = [*starts[1:], ended]
        for start, end, (_, sample) in zip(starts, ends, self._samples, strict=False):
            gpus = tuple(gpu for gpu in sample.gpus if gpu.index in used)
            yield _Span(max(0.0, end - start), sample.machine, gpus)


def _watts(span: _Span) -> float | None:
    """Power of the GPUs in use; of the processors where there are none."""
    if not span.gpus:
        return span.machine.power_w
    known = [gpu.power_w for gpu in span.gpus if gpu.power_w is not None]
    return sum(known) if known else None


def _vram(gpus: Sequence[GpuSample], model: str, *, ours: bool) -> int | None:
    """Bytes that the model takes of the GPUs, or programs that are none of ours."""
    taken = [
        process.used_bytes
        for gpu in gpus
        for process in gpu.processes or ()
        if process.used_bytes is not None and (process.model == model if ours else process.model is None)
    ]
    return sum(taken) if taken else None


def _causes(gpus: Iterable[GpuSample]) -> Iterator[Cause]:
    for gpu in gpus:
        for reason in gpu.throttled:
            if reason.harms:
                yield _CAUSES[reason]


def _others(machine: MachineSample) -> float | None:
    """Share of all processors that other programs take."""
    if machine.busy is None or machine.ours is None:
        return None
    return max(0.0, machine.busy - machine.ours)


def _mean(values: Iterable[tuple[float, float | None]]) -> float | None:
    """The mean of what is known, each counted by its seconds; None if nothing is."""
    known = [(seconds, value) for seconds, value in values if value is not None]
    whole = sum(seconds for seconds, _ in known)
    return sum(seconds * value for seconds, value in known) / whole if whole > 0 else None


def _stalled_s(gaps: Sequence[float]) -> float:
    """Seconds in which text stood still, beyond the time that it takes from piece to piece as a rule."""
    usual = median(gaps) if gaps else 0.0
    return sum(gap - usual for gap in gaps if gap > max(STALL_S, STALL_TIMES * usual))
