"""How fast each model usually writes, and why an answer was slower than that."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from tui_chat.chat.flight import Cause, Flight, Slow
from tui_chat.chat.model import Answer
from tui_chat.chat.numbers import middle

KEPT = 30
"""Answers of each model that make up what is usual."""
LEAST, TELLING = 5, 32
"""Answers that it takes at least, of so many tokens each: a speed over fewer tokens says little."""
SLOW = 0.7
"""Of the usual speed; what is below is worth a word."""

_THROTTLED = 0.1
"""Of the time of an answer."""
_BUSY = 0.15
"""Of all processors, beyond what is usual."""
_TAKEN = 256 << 20
"""Bytes of GPU memory beyond what other programs usually take."""
_CLOCK = 0.85
_LONGER, _MORE = 2.0, 1024
"""Times as many tokens as usual, and so many more at least."""


class Baselines:
    """What is usual for each model, by the last answers that it gave."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[Answer]] = {}

    def learn(self, answers: Iterable[Answer]) -> None:
        """Take answers into account, oldest first."""
        for answer in answers:
            if _tells(answer):
                self._answers.setdefault(_key(answer), deque(maxlen=KEPT)).append(answer)

    def compare(self, answer: Answer) -> Slow | None:
        """Say whether an answer was slow, and why; None if it was not, or nobody can tell yet."""
        before = self._answers.get(_key(answer), ())
        if answer.timings.decode_tps is None or not _tells(answer) or len(before) < LEAST:
            return None
        usual = median(_speed(each) for each in before)
        if answer.timings.decode_tps >= SLOW * usual:
            return None
        return Slow(usual, tuple(dict.fromkeys(_causes(answer, before))))


def _key(answer: Answer) -> str:
    return answer.fingerprint or answer.model


def _tells(answer: Answer) -> bool:
    return answer.timings.decode_tps is not None and answer.usage.completion_tokens >= TELLING


def _speed(answer: Answer) -> float:
    return answer.timings.decode_tps or 0.0


def _tokens(answer: Answer) -> int:
    return answer.usage.prompt_tokens + answer.usage.completion_tokens // 2


def _causes(answer: Answer, before: Iterable[Answer]) -> Iterator[Cause]:
    """Yield what was otherwise than usual, the likeliest cause first."""
    flight = answer.flight
    flights = [each.flight for each in before if each.flight is not None]
    if flight is not None:
        took_ms = answer.timings.prefill_ms + answer.timings.decode_ms
        if flight.throttled_ms > _THROTTLED * took_ms:
            yield from flight.throttled_by
        yield from _unlike(flight, flights)
    usual = median(_tokens(each) for each in before)
    if _tokens(answer) > max(_LONGER * usual, usual + _MORE):
        yield Cause.LONG_CONTEXT


def _unlike(flight: Flight, flights: Sequence[Flight]) -> Iterator[Cause]:
    layers = _usual(flights, lambda each: each.gpu_layers)
    if layers is not None and flight.gpu_layers < layers:
        yield Cause.LAYERS_ON_CPU
    if flight.gpu_layers < flight.layers or not flight.layers:  # the processors have a part in it
        busy = _usual(flights, lambda each: each.other_cpu)
        if flight.other_cpu is not None and flight.other_cpu > (busy or 0.0) + _BUSY:
            yield Cause.BUSY_CPU
        clock = _usual(flights, lambda each: each.cpu_mhz)
        if flight.cpu_mhz is not None and clock is not None and flight.cpu_mhz < _CLOCK * clock:
            yield Cause.LOW_CLOCK
    taken = _usual(flights, lambda each: each.other_vram_bytes)
    if flight.other_vram_bytes is not None and flight.other_vram_bytes > (taken or 0) + _TAKEN:
        yield Cause.BUSY_GPU


def _usual(flights: Iterable[Flight], what: Callable[[Flight], float | None]) -> float | None:
    return middle(map(what, flights))
