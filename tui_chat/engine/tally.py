"""What has happened since the engine started, counted as it happens; `exposition` writes it out."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tui_chat.chat.model import FinishReason
from tui_chat.wire.events import Settled

FIRST_TOKEN_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
INTER_TOKEN_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LOAD_S = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)


class Histogram:
    """How many durations were at most so long, for each of the `limits` in seconds, ascending."""

    def __init__(self, limits: Sequence[float]) -> None:
        self.limits = tuple(limits)
        self.counts = [0] * (len(limits) + 1)
        self.sum = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count a duration, so many times."""
        self.counts[bisect_left(self.limits, seconds)] += times
        self.sum += seconds * times


class _ByModel(defaultdict[str, Histogram]):
    """A histogram for every model."""

    def __init__(self, limits: Sequence[float]) -> None:
        super().__init__(lambda: Histogram(limits))


@dataclass(slots=True)
class Tally:
    """Counts by model id. It only grows, so that rates can be told from two readings of it.

    Attributes:
        answers: By model and how they ended.
        read_tokens, reused_tokens, written_tokens: Of prompts evaluated, of prompts found in the KV cache,
            and of answers.
        joules: Energy of answers, where power was read.
        held_s: Seconds in which answers waited for a device to cool down.
        loads, evictions, out_of_memory, deaths: What happened to models.
        first_token, inter_token, load, swap: In seconds; a swap is all that stands between asking for a
            model and having it, with others evicted for it, and a load is only its own part of that.
    """

    answers: Counter[tuple[str, FinishReason]] = field(default_factory=Counter)
    read_tokens: Counter[str] = field(default_factory=Counter)
    reused_tokens: Counter[str] = field(default_factory=Counter)
    written_tokens: Counter[str] = field(default_factory=Counter)
    joules: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    held_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    loads: Counter[str] = field(default_factory=Counter)
    evictions: Counter[str] = field(default_factory=Counter)
    out_of_memory: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    first_token: _ByModel = field(default_factory=lambda: _ByModel(FIRST_TOKEN_S))
    inter_token: _ByModel = field(default_factory=lambda: _ByModel(INTER_TOKEN_S))
    load: _ByModel = field(default_factory=lambda: _ByModel(LOAD_S))
    swap: _ByModel = field(default_factory=lambda: _ByModel(LOAD_S))

    def answered(self, model: str, end: Settled, steps: Iterable[tuple[float, int]] = ()) -> None:
        """Count an answer; `steps` are seconds from each piece of it to the next, and the tokens in that."""
        usage, timings, flight = end.usage, end.timings, end.flight
        self.answers[model, end.finish] += 1
        self.read_tokens[model] += usage.prompt_tokens - usage.reused_tokens
        self.reused_tokens[model] += usage.reused_tokens
        self.written_tokens[model] += usage.completion_tokens
        self.held_s[model] += timings.held_ms / 1e3
        if flight is not None and flight.energy_j is not None:
            self.joules[model] += flight.energy_j
        if timings.ttft_ms is not None:
            self.first_token[model].observe(timings.ttft_ms / 1e3)
        for seconds, tokens in steps:
            if tokens:
                self.inter_token[model].observe(seconds / tokens, tokens)

    def loaded(self, model: str, seconds: float) -> None:
        """Count a load."""
        self.loads[model] += 1
        self.load[model].observe(seconds)

    def swapped(self, model: str, seconds: float) -> None:
        """Count the whole of a change from other models to this one."""
        self.swap[model].observe(seconds)
