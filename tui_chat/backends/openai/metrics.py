"""What servers tell Prometheus, and the speeds that follow from two looks at it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tui_chat.wire.servers import Activity

_LINE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{.*\})?\s+(\S+)", re.MULTILINE)


def read_metrics(text: str) -> dict[str, float]:
    """Values by name; of one that comes with several labels, the sum."""
    found: dict[str, float] = {}
    for name, told in _LINE.findall(text):
        try:
            value = float(told)
        except ValueError:
            continue
        if math.isfinite(value):
            found[name] = found.get(name, 0.0) + value
    return found


@dataclass(frozen=True, slots=True)
class MetricNames:
    """What a kind of server calls things; the first name that is there counts.

    Attributes:
        running, waiting, kv_used: Gauges.
        read, written: Counters of tokens.
        read_s, written_s: Counters of the seconds that took, of those that have them.
        written_tps: A gauge, of those that have one.
    """

    running: tuple[str, ...]
    waiting: tuple[str, ...]
    read: tuple[str, ...]
    written: tuple[str, ...]
    read_s: tuple[str, ...] = ()
    written_s: tuple[str, ...] = ()
    kv_used: tuple[str, ...] = ()
    written_tps: tuple[str, ...] = ()


class Meter:
    """Reads the metrics of one server, again and again."""

    def __init__(self, names: MetricNames, clock: Callable[[], float] = time.monotonic) -> None:
        self._names = names
        self._clock = clock
        self._read = Rate()
        self._written = Rate()

    def read(self, text: str) -> Activity:
        """What the server does now, by what it tells."""
        values, names = read_metrics(text), self._names

        def value(of: tuple[str, ...]) -> float | None:
            return next((values[name] for name in of if name in values), None)

        running, waiting, used = value(names.running), value(names.waiting), value(names.kv_used)
        now, told = self._clock(), value(names.written_tps)
        read = self._read.of(value(names.read), value(names.read_s) if names.read_s else now)
        written = self._written.of(value(names.written), value(names.written_s) if names.written_s else now)
        return Activity(
            running=None if running is None else round(running),
            waiting=None if waiting is None else round(waiting),
            kv_used=None if used is None else min(1.0, max(0.0, used)),
            read_tps=read,
            written_tps=written if told is None else told,
        )


class Rate:
    """How fast a counter grows, per second."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None

    def of(self, value: float | None, at_s: float | None) -> float | None:
        """Its growth since the last look, `at_s` being the time, or the seconds that were worked.

        None at the first look, and where the counter began anew; 0 where no time went by.
        """
        last, self._last = self._last, None if value is None or at_s is None else (value, at_s)
        if last is None or self._last is None or self._last[0] < last[0]:
            return None
        grown, seconds = self._last[0] - last[0], self._last[1] - last[1]
        return grown / seconds if seconds > 0 else 0.0
