"""Power of the processor packages, from the energy counters that Linux shows of Intel's and AMD's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True, slots=True)
class _Counter:
    at: float
    joules: float
    wraps_at: float


class Packages:
    """Reads how much power all packages draw; on most systems only root may.

    https://docs.kernel.org/power/powercap/powercap.html: ``energy_uj`` grows in microjoules, and begins anew
    at ``max_energy_range_uj``.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self._root = root
        self._before: dict[str, _Counter] = {}

    def power_w(self) -> float | None:
        """Watts on average since the last call; None at the first one, and where nothing can be read."""
        now = {zone.name: counter for zone in self._zones() if (counter := _read(zone)) is not None}
        before, self._before = self._before, now
        known = [(before[name], counter) for name, counter in now.items() if name in before]
        return sum(_watts(*each) for each in known) if known else None

    def _zones(self) -> list[Path]:
        """The packages, without their parts and without the zone of the whole board."""
        zones = self._root.glob("intel-rapl:*")
        return [zone for zone in zones if zone.name.count(":") == 1 and _named(zone).startswith("package")]


def _named(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except OSError:
        return ""


def _read(zone: Path) -> _Counter | None:
    try:
        joules = int((zone / "energy_uj").read_text()) / 1e6
        return _Counter(time.monotonic(), joules, int((zone / "max_energy_range_uj").read_text()) / 1e6)
    except (OSError, ValueError):
        return None


def _watts(before: _Counter, now: _Counter) -> float:
    grown = now.joules - before.joules
    if grown < 0:
        grown += now.wraps_at
    return max(0.0, grown) / max(1e-3, now.at - before.at)
