"""What a source of readings is."""

from __future__ import annotations

from typing import Protocol

import msgspec

from tui_chat.wire.telemetry import Driver, GpuSample, MachineSample


class Reading(msgspec.Struct, frozen=True):
    """What one source tells at one moment; `machine` only by the one that reads the machine itself."""

    driver: Driver | None = None
    gpus: tuple[GpuSample, ...] = ()
    machine: MachineSample | None = None


class Source(Protocol):
    """Reads instruments. All calls come from one thread of its own, which they may block."""

    name: str

    def read(self) -> Reading:
        """Read all of them now. Never raises for what the hardware or its driver does."""
        ...

    def close(self) -> None:
        """Let go of the driver."""
        ...
