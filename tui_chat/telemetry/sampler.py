"""Reads every source in a thread of its own, so that one that hangs delays nothing else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from tui_chat.telemetry.source import Reading, Source
from tui_chat.wire.telemetry import Driver, DriverState, GpuSample, Maker, Sample

log = logging.getLogger(__name__)

PERIOD_S = 1.0
QUICK_S = 1.0
"""The first sample waits so long for all sources; a GPU that sleeps takes longer to wake up."""
SILENT_S = 2.5
"""A call that takes longer than this is said to hang; what was told before it is no longer true."""


class Sampler:
    """Samples while it is `wanted`; what it makes of the readings never waits for one."""

    def __init__(self, sources: Sequence[Source], period_s: float = PERIOD_S) -> None:
        self._readers = [_Reader(source, period_s) for source in sources]
        self._since: float | None = None

    @property
    def reads(self) -> bool:
        """Whether there is anything to read."""
        return bool(self._readers)

    def want(self, wanted: bool) -> None:
        """Read from now on, at once; or no longer."""
        if wanted and self._since is None:
            self._since = time.monotonic()
        elif not wanted:
            self._since = None
        for reader in self._readers:
            reader.want(wanted)

    def sample(self) -> Sample | None:
        """Put together what was read last; None until the machine, and every quick driver, has been read."""
        waited_s = time.monotonic() - (self._since or 0.0)
        if waited_s < QUICK_S and not all(reader.has_told for reader in self._readers):
            return None
        return joined([reader.telling() for reader in self._readers], time.time())

    def close(self) -> None:
        """Have the threads end; one that hangs in its driver ends with the process."""
        for reader in self._readers:
            reader.stop()


def joined(readings: Sequence[Reading], at: float) -> Sample | None:
    """Put readings of all sources together; None if the machine itself is not among them."""
    machine = next((each.machine for each in readings if each.machine is not None), None)
    if machine is None:
        return None
    return Sample(
        at=at,
        machine=machine,
        gpus=tuple(gpu for each in readings for gpu in each.gpus),
        drivers=tuple(each.driver for each in readings if each.driver is not None),
    )


class _Reader(threading.Thread):
    """Reads one source again and again while that is wanted."""

    def __init__(self, source: Source, period_s: float) -> None:
        super().__init__(name=f"telemetry-{source.name}", daemon=True)
        self._source = source
        self._period_s = period_s
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._began: float | None = None
        self._told = Reading()
        self._failed = False
        self.has_told = False

    def want(self, wanted: bool) -> None:
        if not wanted:
            self._wanted.clear()
            self._told = Reading()
            self.has_told = False
            return
        self._wanted.set()
        if not self.is_alive() and not self._stopped.is_set():
            self.start()

    def stop(self) -> None:
        self._stopped.set()
        self._wanted.set()

    def run(self) -> None:
        while self._wanted.wait() and not self._stopped.is_set():
            self._began = began = time.monotonic()
            self._told = self._read()
            self._began = None
            self.has_told = True
            self._stopped.wait(max(0.0, began + self._period_s - time.monotonic()))
        with suppress(Exception):  # nobody is left to be told
            self._source.close()

    def _read(self) -> Reading:
        """Read the source; one that fails in a way that it does not know itself must not end all reading."""
        try:
            return self._source.read()
        except Exception:
            if not self._failed:
                log.exception("cannot read %s", self._source.name)
            self._failed = True
            maker = _maker(self._source)
            what = "It cannot be read; the engine's log says why."
            return Reading(Driver(maker, DriverState.REFUSED, what=what) if maker else None)

    def telling(self) -> Reading:
        """What was read last, or that the source does not come back."""
        began, told = self._began, self._told
        silent_s = time.monotonic() - began if began is not None else 0.0
        if silent_s <= SILENT_S:
            return told
        what = f"It has not answered for {silent_s:.0f} s."
        maker = told.driver.maker if told.driver else _maker(self._source)
        driver = Driver(maker, DriverState.SILENT, what=what) if maker else None
        return Reading(driver, tuple(_silenced(gpu, what) for gpu in told.gpus), told.machine)


def _maker(source: Source) -> Maker | None:
    return Maker(source.name) if source.name in tuple(Maker) else None


def _silenced(gpu: GpuSample, what: str) -> GpuSample:
    """What stays true of a GPU whose driver hangs: that it is there."""
    return GpuSample(
        id=gpu.id,
        index=gpu.index,
        maker=gpu.maker,
        name=gpu.name,
        slice=gpu.slice,
        total_bytes=gpu.total_bytes,
        problem=f"The driver does not answer. {what}",
    )
