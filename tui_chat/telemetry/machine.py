"""Processors, memory and disks of this machine, by psutil."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import psutil

from tui_chat.memory.devices import read_ram
from tui_chat.telemetry.disks import moved_bytes
from tui_chat.telemetry.family import below
from tui_chat.telemetry.growth import Growth
from tui_chat.telemetry.rapl import Packages
from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import MachineSample

_TIGHT = 0.1
"""Share of RAM below which whoever grows is looked for at each reading."""
_PROCESSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal", "acpitz")
"""Sensors of processors, the best first."""


class MachineSource:
    """Rates are of the time since the last reading; the first has none. Ours: `engine` and its children."""

    name = "machine"

    def __init__(self, engine: int) -> None:
        self._engine = psutil.Process(engine)
        self._before: _Counters | None = None
        self._packages = Packages()
        self._growth = Growth()
        psutil.cpu_percent(percpu=True)  # from here on it tells what was since the last call

    def read(self) -> Reading:
        """Read all there is."""
        now = _Counters(self._engine)
        before, self._before = self._before, now
        ram, swap = read_ram(), psutil.swap_memory()
        temperature, warn = _temperature()
        self._growth.look(now=ram.free_bytes < _TIGHT * ram.total_bytes)
        return Reading(
            machine=MachineSample(
                cores=tuple(percent / 100 for percent in psutil.cpu_percent(percpu=True)),
                ours=None if before is None else now.rate(before, "cpu_s", psutil.cpu_count() or 1),
                temperature_c=temperature,
                warn_c=warn,
                clock_mhz=_clock(),
                power_w=self._packages.power_w(),
                ram_bytes=ram.total_bytes,
                available_bytes=ram.free_bytes,
                ours_bytes=now.ours_bytes,
                swap_bytes=swap.total,
                swap_used_bytes=swap.used,
                growers=self._growth.growers(),
                read_bps=None if before is None else now.rate(before, "read"),
                written_bps=None if before is None else now.rate(before, "written"),
            )
        )

    def close(self) -> None:
        """Nothing is held."""


class _Counters:
    """What only grows, and the time at which it was read."""

    def __init__(self, engine: psutil.Process) -> None:
        self.at = time.monotonic()
        self.read, self.written = moved_bytes()
        self.cpu_s, self.ours_bytes = 0.0, 0
        for process in _ours(engine):
            with suppress(psutil.Error), process.oneshot():
                spent = process.cpu_times()
                self.cpu_s += spent.user + spent.system
                self.ours_bytes += process.memory_info().rss

    def rate(self, before: _Counters, what: str, per: float = 1) -> float:
        """How much it grew in a second; a process that ended takes what it spent with it."""
        grown = getattr(self, what) - getattr(before, what)
        return max(0.0, float(grown)) / max(1e-3, self.at - before.at) / per


def _ours(engine: psutil.Process) -> list[psutil.Process]:
    """The engine and all that it has started."""
    found = [engine]
    for pid in below(engine.pid):
        with suppress(psutil.Error):  # it may have ended meanwhile
            found.append(psutil.Process(pid))
    return found


def _temperature() -> tuple[float | None, float | None]:
    """The hottest part of the processor, and what its driver calls critical, in °C."""
    read: Any = getattr(psutil, "sensors_temperatures", None)  # not on every system
    found = read() if read is not None else {}
    for sensor in _PROCESSORS:
        if parts := [part for part in found.get(sensor, ()) if part.current > 0]:
            hottest = max(parts, key=lambda part: part.current)
            return float(hottest.current), float(hottest.critical) if hottest.critical else None
    return None, None


def _clock() -> int | None:
    with suppress(OSError, NotImplementedError, AttributeError):
        clock = psutil.cpu_freq()
        return round(clock.current) if clock and clock.current else None
    return None
