"""AMD's GPUs, as the kernel's driver tells of them in files; no library is needed for that."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui_chat.telemetry.cards import ASLEEP, DRM, Card, Cards
from tui_chat.telemetry.family import PROC, below
from tui_chat.telemetry.fdinfo import drm_memory
from tui_chat.telemetry.files import Files
from tui_chat.telemetry.gpu_metrics import throttled
from tui_chat.telemetry.kfd import KFD, Kfd, place
from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import Driver, DriverState, GpuProcess, GpuSample, Maker, Throttle, Unread

VENDOR = "0x1002"
_CHIPS = ("amdgpu",)


class AmdSource:
    """Reads ``/sys/class/drm``; see the kernel's Documentation/gpu/amdgpu/thermal.rst for the units.

    Of those who use Vulkan, only `engine` and what it has started is told; of those who use ROCm, everybody.
    """

    name = "amd"

    def __init__(self, engine: int, drm: Path = DRM, kfd: Path = KFD, proc: Path = PROC) -> None:
        self._engine, self._proc = engine, proc
        self._cards = Cards(drm, lambda card: card.vendor == VENDOR)
        self._kfd = Kfd(kfd)

    def read(self) -> Reading:
        """Read every card of AMD's."""
        cards = self._cards.now()
        if not cards:
            return Reading(Driver(Maker.AMD, DriverState.ABSENT))
        computing = self._kfd.processes()
        ours = drm_memory(below(self._engine, self._proc), self._proc)
        gpus = []
        for index, card in enumerate(cards):
            taken = {**ours.get(card.slot, {}), **(computing or {}).get(place(card.slot), {})}
            told = tuple(GpuProcess(*each) for each in sorted(taken.items()))
            gpus.append(_gpu(card, index, told or (None if computing is None else ())))
        return Reading(Driver(Maker.AMD, DriverState.READY), tuple(gpus))

    def close(self) -> None:
        """Nothing is held."""


def _gpu(card: Card, index: int, processes: tuple[GpuProcess, ...] | None) -> GpuSample:
    files, sensors = Files(card.device), Files(card.device).sensors(_CHIPS)
    known = GpuSample(
        id=files.text("unique_id") or card.slot or f"amd-{index}",
        index=index,
        maker=Maker.AMD,
        name=files.text("product_name") or f"AMD GPU {files.text('device').removeprefix('0x')}".strip(),
        total_bytes=files.whole("memory", "mem_info_vram_total"),
    )
    if card.asleep:
        return msgspec.structs.replace(known, problem=ASLEEP)
    read = msgspec.structs.replace(
        known,
        used_bytes=files.whole("", "mem_info_vram_used"),
        utilisation=files.number("utilisation", "gpu_busy_percent", 100),
        memory_utilisation=files.number("", "mem_busy_percent", 100),
        temperature_c=sensors.number("temperature", "temp1_input", 1000),
        warn_c=sensors.number("slowdown", "temp1_crit", 1000),
        stop_c=sensors.number("shutdown", "temp1_emergency", 1000),
        # Older cards tell the average, newer ones do not.
        power_w=sensors.either("power", ("power1_average", "power1_input"), 1e6),
        limit_w=sensors.number("limit", "power1_cap", 1e6),
        clock_mhz=sensors.whole("clock", "freq1_input", 1e6),
        top_clock_mhz=_top_clock(files.text("pp_dpm_sclk")),
        memory_clock_mhz=sensors.whole("memory clock", "freq2_input", 1e6),
        throttled=_throttled(files),
        fan=sensors.number("fan", "pwm1", 255),
        processes=processes,
    )
    if processes is None:
        files.unread["processes"] = Unread.NOT_SUPPORTED
    return msgspec.structs.replace(read, unread={**files.unread, **sensors.unread})


def _throttled(files: Files) -> tuple[Throttle, ...]:
    table = files.table("throttling", "gpu_metrics")
    if table is None:
        return ()
    reasons = throttled(table)
    if reasons is None:
        files.unread["throttling"] = Unread.NOT_SUPPORTED
    return reasons or ()


def _top_clock(levels: str) -> int | None:
    """The last of the levels, such as ``2: 2900Mhz *``, in MHz."""
    last = levels.rpartition("\n")[2]
    digits = "".join(c for c in last.partition(":")[2] if c.isdigit())
    return int(digits) if digits else None
