"""Intel's GPUs with memory of their own (Arc, Flex, Max), as the kernel's drivers i915 and xe show them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui_chat.telemetry.cards import ASLEEP, DRM, Card, Cards
from tui_chat.telemetry.family import PROC, below
from tui_chat.telemetry.fdinfo import drm_memory
from tui_chat.telemetry.files import Files
from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import Driver, DriverState, GpuProcess, GpuSample, Maker, Throttle, Unread

VENDOR = "0x8086"
_CHIPS = ("i915", "xe")
"""What the sensors of a whole card are called; those of its parts have longer names."""
_REASONS = {
    Throttle.POWER_LIMIT: (
        *("pl1", "pl2", "pl4", "psys_pl1", "psys_pl2", "psys_crit"),
        *("iccmax", "vr_tdc"),
    ),
    Throttle.HEAT: (
        *("thermal", "soc_thermal", "soc_avg_thermal", "mem_thermal", "ratl"),
        *("vr_thermal", "vr_thermalert"),
    ),
    Throttle.HEAT_HARDWARE: ("prochot",),
    Throttle.HARDWARE: ("fastvmode",),
}
"""What the files of reasons are called: limits of power and of current; temperatures of the GPU, its memory
and its regulators; a signal that the processor is too hot; a regulator at its end."""
_UNTOLD = dict.fromkeys(("memory", "utilisation", "memory clock", "fan"), Unread.NOT_SUPPORTED)
"""What is in no file: of its fan the turns are, and not how many it can do."""


class IntelSource:
    """Reads ``/sys/class/drm``; see the kernel's Documentation/ABI/testing/sysfs-driver-intel-*-hwmon.

    Of its processes only `engine` and what it has started is told.
    """

    name = "intel"

    def __init__(self, engine: int, drm: Path = DRM, proc: Path = PROC) -> None:
        self._engine, self._proc = engine, proc
        self._cards = Cards(drm, lambda card: card.vendor == VENDOR and _discrete(card))
        self._energy: dict[Path, tuple[float, float]] = {}

    def read(self) -> Reading:
        """Read every card of Intel's."""
        cards = self._cards.now()
        if not cards:
            return Reading(Driver(Maker.INTEL, DriverState.ABSENT))
        ours = drm_memory(below(self._engine, self._proc), self._proc)
        gpus = []
        for index, card in enumerate(cards):
            told = tuple(GpuProcess(*each) for each in sorted(ours.get(card.slot, {}).items()))
            gpus.append(self._gpu(card, index, told or None))
        return Reading(Driver(Maker.INTEL, DriverState.READY), tuple(gpus))

    def close(self) -> None:
        """Nothing is held."""

    def _gpu(self, card: Card, index: int, processes: tuple[GpuProcess, ...] | None) -> GpuSample:
        files, sensors = Files(card.device), Files(card.device).sensors(_CHIPS)
        known = GpuSample(
            id=card.slot or f"intel-{index}",
            index=index,
            maker=Maker.INTEL,
            name=f"Intel GPU {files.text('device').removeprefix('0x')}".strip(),
            total_bytes=_memory(card),
        )
        if card.asleep:
            return msgspec.structs.replace(known, problem=ASLEEP)
        clocks = _Clocks.of(card)
        read = msgspec.structs.replace(
            known,
            # The second sensor of the newer driver is of the whole package, as the only one of the older.
            temperature_c=sensors.either("temperature", ("temp2_input", "temp1_input"), 1000),
            warn_c=sensors.either("slowdown", ("temp2_crit", "temp1_crit"), 1000),
            stop_c=sensors.either("shutdown", ("temp2_emergency", "temp1_emergency"), 1000),
            power_w=self._power(card, sensors),
            limit_w=sensors.either("limit", ("power1_max", "power2_max"), 1e6) or None,  # 0 is none
            clock_mhz=clocks.files.whole("clock", clocks.now),
            top_clock_mhz=clocks.files.whole("top clock", clocks.top),
            throttled=clocks.throttled(),
            processes=processes,
        )
        unread = _UNTOLD if processes else {**_UNTOLD, "processes": Unread.NOT_SUPPORTED}
        return msgspec.structs.replace(read, unread={**unread, **sensors.unread, **clocks.files.unread})

    def _power(self, card: Card, sensors: Files) -> float | None:
        """Watts on average since the last reading, from energy in microjoules; None at the first."""
        joules = sensors.either("power", ("energy1_input", "energy2_input"), 1e6)
        now, before = time.monotonic(), self._energy.pop(card.folder, None)
        if joules is None:
            return None
        self._energy[card.folder] = now, joules
        if before is None:
            return None
        since, grown = now - before[0], joules - before[1]
        return grown / max(1e-3, since) if grown >= 0 else None  # it begins anew with the driver


@dataclass(frozen=True, slots=True)
class _Clocks:
    """Where a driver tells of clocks, and of what holds them down: in files that begin with `reason`."""

    files: Files
    now: str
    top: str
    reason: str

    @classmethod
    def of(cls, card: Card) -> _Clocks:
        """Those of the first part of a card, by the newer driver, or else by the older one."""
        newer = card.device / "tile0/gt0/freq0"
        if newer.is_dir():
            return cls(Files(newer), "act_freq", "rp0_freq", "throttle/reason_")
        return cls(Files(card.folder / "gt/gt0"), "rps_act_freq_mhz", "rps_RP0_freq_mhz", "throttle_reason_")

    def throttled(self) -> tuple[Throttle, ...]:
        """Why they are low; each kernel and GPU has some of the reasons."""
        if not self.files.number("throttling", self.reason.replace("/reason_", "/") + "status"):
            return ()
        return tuple(why for why, names in _REASONS.items() if any(map(self._holds, names)))

    def _holds(self, reason: str) -> bool:
        return bool(self.files.number("", self.reason + reason))


def _discrete(card: Card) -> bool:
    """Whether it has memory of its own. One that has none is on the processor's bus and has no sensors."""
    elsewhere = card.slot.split(":")[1:2] not in ([], ["00"])
    return elsewhere or bool(_memory(card)) or bool(Files(card.device).sensors(_CHIPS).text("name"))


def _memory(card: Card) -> int | None:
    """The bytes of its own memory, which only some releases of the drivers tell."""
    tiles = [Files(tile) for tile in card.device.glob("tile*")]
    told = [tile.whole("", "physical_vram_size_bytes") for tile in tiles]
    return sum(filter(None, told)) or Files(card.folder).whole("", "lmem_total_bytes")
