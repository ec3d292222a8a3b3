"""What the engine counts and reads, as Prometheus asks for it.

https://prometheus.io/docs/instrumenting/exposition_formats/, written by `prometheus_client`. Importing that
takes a tenth of a second, so nothing here is imported before somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tui_chat.engine.tally import Histogram, Tally
from tui_chat.wire.api import EngineInfo
from tui_chat.wire.heat import Hot
from tui_chat.wire.telemetry import GpuSample, Sample

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class State:
    """All there is to tell at one moment; `sample` is None where the instruments cannot be read."""

    info: EngineInfo
    queued: int
    tally: Tally
    hot: Sequence[Hot]
    parked_bytes: int
    sample: Sample | None


def write(state: State) -> bytes:
    """Write everything."""
    registry = CollectorRegistry()
    registry.register(_Told(state))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        state = self._state
        about = {"version": state.info.version, "protocol": str(state.info.protocol)}
        yield InfoMetricFamily("tui_chat_engine", "The engine that tells this.", about)
        yield _gauge("start_time_seconds", "When the engine started.", state.info.started.timestamp())
        yield from _counted(state.tally)
        yield from _durations(state.tally)
        yield from _now(state)
        if state.sample is not None:
            yield from _machine(state.sample)
            for family in _GPU_FAMILIES:
                yield family.of(state.sample.gpus)
            yield _throttled(state.sample.gpus)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tui_chat_{name}", about, value)


def _by(
    name: str, about: str, values: Mapping[str, float], label: str = "model", *, counter: bool = False
) -> Metric:
    make = CounterMetricFamily if counter else GaugeMetricFamily
    family = make(f"tui_chat_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _counted(tally: Tally) -> Iterator[Metric]:
    answers = CounterMetricFamily(
        "tui_chat_answers", "Answers, by how they ended.", labels=["model", "finish"]
    )
    for (model, finish), count in tally.answers.items():
        answers.add_metric([model, finish.value], count)
    yield answers
    for name, about, values in (
        ("prompt_tokens_evaluated", "Tokens of prompts that were evaluated.", tally.read_tokens),
        ("prompt_tokens_reused", "Tokens of prompts that were in the KV cache.", tally.reused_tokens),
        ("completion_tokens", "Tokens written, thinking included.", tally.written_tokens),
        ("energy_joules", "Energy of answers, where power can be read.", tally.joules),
        ("held_seconds", "Time in which answers waited for a device to cool down.", tally.held_s),
        ("loads", "Models loaded.", tally.loads),
        ("evictions", "Models that went to make room for others.", tally.evictions),
        ("out_of_memory", "Allocations that failed while loading.", tally.out_of_memory),
        ("worker_deaths", "Processes of models that died.", tally.deaths),
    ):
        yield _by(name, about, values, counter=True)


def _durations(tally: Tally) -> Iterator[Metric]:
    for name, about, values in (
        ("time_to_first_token_seconds", "From asking to the first token.", tally.first_token),
        ("inter_token_seconds", "From one token to the next.", tally.inter_token),
        ("load_seconds", "Loading a model.", tally.load),
        ("swap_seconds", "From asking for a model to having it, with others evicted for it.", tally.swap),
    ):
        family = HistogramMetricFamily(f"tui_chat_{name}", about, labels=["model"])
        for model, histogram in values.items():
            family.add_metric([model], _buckets(histogram), histogram.sum)
        yield family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    names = [*(f"{limit:g}" for limit in histogram.limits), "+Inf"]
    return list(zip(names, map(float, accumulate(histogram.counts)), strict=True))


def _now(state: State) -> Iterator[Metric]:
    residents = state.info.residents
    yield _gauge("queue_length", "Answers that wait for others.", state.queued)
    yield _gauge("running", "Answers that are being written or wait.", len(state.info.generations))
    yield _gauge("residents", "Models in memory or on their way.", len(residents))
    predicted = GaugeMetricFamily(
        "tui_chat_resident_predicted_bytes", "What a model was predicted to take.", labels=["model", "device"]
    )
    for model in residents:
        for use in model.devices:
            predicted.add_metric([model.id, use.name], use.total_bytes)
    yield predicted
    real = {model.id: float(model.real_bytes) for model in residents if model.real_bytes}
    yield _by("resident_real_bytes", "RAM that a model's process really takes.", real)
    if state.sample is not None:
        yield _by("resident_real_vram_bytes", "Memory of GPUs that it really takes.", _vram(state.sample))
    context = {model.id: float(model.context) for model in residents if model.context}
    yield _by("resident_context_tokens", "Size of a model's context.", context)
    yield _gauge("parked_ram_bytes", "RAM that parked conversations take.", state.parked_bytes)
    held = {each.device: float(each.held or each.slowed) for each in state.hot}
    yield _by("hot", "Devices that are too hot: 1 where answers wait or are slowed down.", held, "device")


def _vram(sample: Sample) -> Mapping[str, float]:
    """What each of our models takes of all GPUs, where drivers tell; a slice is part of its GPU."""
    taken: dict[str, float] = {}
    for gpu in sample.gpus:
        for process in gpu.processes or ():
            if process.model and process.used_bytes and gpu.slice is None:
                taken[process.model] = taken.get(process.model, 0.0) + process.used_bytes
    return taken


def _machine(sample: Sample) -> Iterator[Metric]:
    machine = sample.machine
    readings: tuple[tuple[str, str, float | None], ...] = (
        ("cpu_busy_ratio", "Share of all processors in use.", machine.busy),
        ("cpu_ours_ratio", "Share of all processors that the engine and its models use.", machine.ours),
        ("cpu_temperature_celsius", "Of the hottest part of the processor.", machine.temperature_c),
        ("cpu_power_watts", "Of the processor packages.", machine.power_w),
        ("ram_total_bytes", "RAM within our limits.", machine.ram_bytes),
        ("ram_available_bytes", "RAM that could be had.", machine.available_bytes),
        ("ram_ours_bytes", "RAM that the engine and its models take.", machine.ours_bytes),
        ("swap_used_bytes", "Swap in use.", machine.swap_used_bytes),
    )
    for name, about, value in readings:
        if value is not None:
            yield _gauge(name, about, value)


@dataclass(frozen=True, slots=True)
class _OfGpus:
    """One reading, of all GPUs that tell it."""

    name: str
    about: str
    read: Callable[[GpuSample], float | None]

    def of(self, gpus: Sequence[GpuSample]) -> Metric:
        family = GaugeMetricFamily(f"tui_chat_gpu_{self.name}", self.about, labels=["gpu", "uuid"])
        for gpu in gpus:
            if (value := self.read(gpu)) is not None:
                family.add_metric([gpu.number, gpu.id], value)
        return family


_GPU_FAMILIES = (
    _OfGpus("memory_total_bytes", "Memory of the GPU.", lambda gpu: gpu.total_bytes),
    _OfGpus("memory_used_bytes", "Memory in use, whoever uses it.", lambda gpu: gpu.used_bytes),
    _OfGpus("utilisation_ratio", "Share of the last moment in which it worked.", lambda gpu: gpu.utilisation),
    _OfGpus("temperature_celsius", "Its temperature.", lambda gpu: gpu.temperature_c),
    _OfGpus("power_watts", "Power that it draws.", lambda gpu: gpu.power_w),
    _OfGpus("power_limit_watts", "Power that it may draw.", lambda gpu: gpu.limit_w),
    _OfGpus("clock_hertz", "Clock of its cores.", lambda gpu: gpu.clock_mhz and gpu.clock_mhz * 1e6),
)


def _throttled(gpus: Sequence[GpuSample]) -> Metric:
    family = GaugeMetricFamily(
        "tui_chat_gpu_throttled", "Why clocks are low: 1 for each reason.", labels=["gpu", "uuid", "reason"]
    )
    for gpu in gpus:
        for reason in gpu.throttled:
            family.add_metric([gpu.number, gpu.id, reason.name.lower()], 1)
    return family
