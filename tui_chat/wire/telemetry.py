"""What instruments read of this machine, as it goes over the wire.

A field that is None could not be read; for GPUs `GpuSample.unread` says why. Ratios are 0..1.
"""

from __future__ import annotations

import enum

import msgspec

from tui_chat.wire.scarce import Grower


class Maker(enum.StrEnum):
    """Whose GPU it is."""

    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"
    APPLE = "apple"
    OTHER = "other"


class Unread(enum.StrEnum):
    """Why something could not be read."""

    NOT_SUPPORTED = "not supported"
    NO_PERMISSION = "no permission"
    FAILED = "failed"


class Throttle(enum.StrEnum):
    """Why clocks are lower than they could be, in a person's words."""

    POWER_LIMIT = "power limit"
    HEAT = "heat"
    HEAT_HARDWARE = "heat, by the hardware"
    POWER_BRAKE = "power supply"
    HARDWARE = "slowed down by the hardware"
    SYNC = "kept in step with other GPUs"
    CHOSEN = "clocks set by somebody"
    DISPLAY = "clocks set for the display"
    IDLE = "idle"

    @property
    def harms(self) -> bool:
        """Whether answers come slower for it, against anybody's wish."""
        return self not in (Throttle.IDLE, Throttle.CHOSEN, Throttle.DISPLAY)


class GpuProcess(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process that uses a GPU.

    Attributes:
        pid: As the driver tells it; in a container that is the number outside.
        used_bytes: What it takes of the GPU's memory.
        model: The id of the model, if it is one of our workers.
        name: What it is called, where we may see that.
    """

    pid: int
    used_bytes: int | None = None
    model: str | None = None
    name: str = ""


class GpuSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One GPU, or one slice of one, at one moment.

    Attributes:
        id: The same for as long as the GPU is in the machine: its UUID, or its place on the bus.
        index: Its number as other tools count; `slice` numbers a MIG instance of it.
        utilisation, memory_utilisation: The share of the last moment in which it worked, or its memory did.
        warn_c: The temperature from which on it slows itself down; `stop_c`: at which it switches itself off.
        power_w, limit_w: Power it draws, and may draw.
        clock_mhz, top_clock_mhz: Of its cores: now, and at most; `memory_clock_mhz` of its memory now.
        throttled: Why its clocks are not at the top.
        fan: Share of the fan's full speed.
        unread: Why fields are None.
        problem: Why nothing at all could be read of it now.
    """

    id: str
    index: int
    maker: Maker
    name: str
    slice: int | None = None
    total_bytes: int | None = None
    used_bytes: int | None = None
    utilisation: float | None = None
    memory_utilisation: float | None = None
    temperature_c: float | None = None
    warn_c: float | None = None
    stop_c: float | None = None
    power_w: float | None = None
    limit_w: float | None = None
    clock_mhz: int | None = None
    top_clock_mhz: int | None = None
    memory_clock_mhz: int | None = None
    throttled: tuple[Throttle, ...] = ()
    fan: float | None = None
    processes: tuple[GpuProcess, ...] | None = None
    unread: dict[str, Unread] = {}
    problem: str = ""

    @property
    def number(self) -> str:
        """What it is called among others: ``0``, and ``0.1`` for a slice of it."""
        return str(self.index) if self.slice is None else f"{self.index}.{self.slice}"


class DriverState(enum.StrEnum):
    """How a driver of GPUs is."""

    READY = "ready"
    ABSENT = "absent"
    REFUSED = "refused"
    SILENT = "silent"


class Driver(msgspec.Struct, frozen=True, omit_defaults=True):
    """A driver of GPUs.

    Attributes:
        maker: Whose GPUs it drives.
        state: ``absent`` is the normal case of a machine without such a GPU; ``silent`` does not come back
            from a call.
        version: Its release.
        what: What is wrong with it, for a person.
    """

    maker: Maker
    state: DriverState
    version: str = ""
    what: str = ""


class MachineSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Processors, memory and disks at one moment.

    Attributes:
        cores: How busy each logical processor was since the last sample.
        ours: How busy all of them together were with us, of 1.
        temperature_c: Of the hottest part of the processor; `warn_c` is what it calls critical.
        clock_mhz: Of the processors, on average.
        power_w: Power that their packages draw, where we may read it.
        ram_bytes, available_bytes: Within the limits of our control groups.
        ours_bytes: What our engine and workers take, shared pages counted once.
        growers: Processes that take more RAM than a minute ago.
        read_bps, written_bps: What all disks together moved, in bytes per second.
    """

    cores: tuple[float, ...] = ()
    ours: float | None = None
    temperature_c: float | None = None
    warn_c: float | None = None
    clock_mhz: int | None = None
    power_w: float | None = None
    ram_bytes: int = 0
    available_bytes: int = 0
    ours_bytes: int = 0
    swap_bytes: int = 0
    swap_used_bytes: int = 0
    growers: tuple[Grower, ...] = ()
    read_bps: float | None = None
    written_bps: float | None = None

    @property
    def busy(self) -> float | None:
        """How busy all processors are on average."""
        return sum(self.cores) / len(self.cores) if self.cores else None


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All instruments at one moment; `at` is in seconds since 1970."""

    at: float
    machine: MachineSample
    gpus: tuple[GpuSample, ...] = ()
    drivers: tuple[Driver, ...] = ()
