"""AMD's GPUs, as the kernel's driver tells of them in files; no library is needed for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import Driver, DriverState, GpuSample, Maker, Unread

_VENDOR = "0x1002"


class AmdSource:
    """Reads ``/sys/class/drm``; see the kernel's Documentation/gpu/amdgpu/thermal.rst for the units."""

    name = "amd"

    def __init__(self, drm: Path = Path("/sys/class/drm")) -> None:
        self._drm = drm

    def read(self) -> Reading:
        """Read every card of AMD's."""
        gpus = tuple(_card(device, index) for index, device in enumerate(self._cards()))
        state = DriverState.READY if gpus else DriverState.ABSENT
        return Reading(Driver(Maker.AMD, state), gpus)

    def close(self) -> None:
        """Nothing is held."""

    def _cards(self) -> Iterator[Path]:
        """The device folders, in the order of the cards; a connector such as ``card0-DP-1`` is no card."""
        found = (path for path in self._drm.glob("card*") if path.name[4:].isdigit())
        for card in sorted(found, key=lambda path: int(path.name[4:])):
            with suppress(OSError):
                if (card / "device/vendor").read_text(encoding="ascii").strip() == _VENDOR:
                    yield card / "device"


def _card(device: Path, index: int) -> GpuSample:
    files = _Files(device)
    total, used = files.number("memory", "mem_info_vram_total"), files.number("", "mem_info_vram_used")
    sensors = files.sensors()
    return GpuSample(
        id=files.text("unique_id") or files.slot or f"amd-{index}",
        index=index,
        maker=Maker.AMD,
        name=files.text("product_name") or f"AMD GPU {files.text('device').removeprefix('0x')}".strip(),
        total_bytes=None if total is None else int(total),
        used_bytes=None if used is None else int(used),
        utilisation=files.number("utilisation", "gpu_busy_percent", 100),
        memory_utilisation=files.number("", "mem_busy_percent", 100),
        temperature_c=sensors.number("temperature", "temp1_input", 1000),
        warn_c=sensors.number("slowdown", "temp1_crit", 1000),
        stop_c=sensors.number("shutdown", "temp1_emergency", 1000),
        power_w=sensors.either("power", ("power1_average", "power1_input"), 1e6),
        limit_w=sensors.number("limit", "power1_cap", 1e6),
        clock_mhz=_whole(sensors.number("clock", "freq1_input", 1e6)),
        top_clock_mhz=files.top_clock(),
        memory_clock_mhz=_whole(sensors.number("memory clock", "freq2_input", 1e6)),
        fan=sensors.number("fan", "pwm1", 255),
        unread={
            **files.unread,
            **sensors.unread,
            "throttling": Unread.NOT_SUPPORTED,
            "processes": Unread.NOT_SUPPORTED,
        },
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


class _Files:
    """One folder of small files, each with one number; notes why one is not told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unread: dict[str, Unread] = {}

    def text(self, name: str) -> str:
        """Return what a file says; nothing where there is none."""
        try:
            return (self._folder / name).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return ""

    def number(self, field: str, name: str, per: float = 1) -> float | None:
        """Return the number in a file, in units of `per`."""
        return self._read(field, lambda: float((self._folder / name).read_text(encoding="ascii")) / per)

    def either(self, field: str, names: tuple[str, str], per: float) -> float | None:
        """Return the number in whichever of two files there is: older cards average, newer ones do not."""
        there = next((name for name in names if (self._folder / name).exists()), names[0])
        return self.number(field, there, per)

    def _read(self, field: str, read: Callable[[], float]) -> float | None:
        try:
            return read()
        except FileNotFoundError:
            why = Unread.NOT_SUPPORTED
        except PermissionError:
            why = Unread.NO_PERMISSION
        except (OSError, ValueError):  # a card that sleeps says EBUSY or nothing
            why = Unread.FAILED
        if field:
            self.unread[field] = why
        return None

    def sensors(self) -> _Files:
        """The folder of the card's sensors; one that is not there if it has none."""
        return _Files(
            next(iter(sorted((self._folder / "hwmon").glob("hwmon*"))), self._folder / "hwmon/none")
        )

    @property
    def slot(self) -> str:
        """Where on the bus it is."""
        lines = self.text("uevent").splitlines()
        return next((line.partition("=")[2] for line in lines if line.startswith("PCI_SLOT_NAME=")), "")

    def top_clock(self) -> int | None:
        """The last of the levels, such as ``2: 2900Mhz *``, in MHz."""
        levels = self.text("pp_dpm_sclk").splitlines()
        if not levels:
            return None
        digits = "".join(c for c in levels[-1].partition(":")[2] if c.isdigit())
        return int(digits) if digits else None
