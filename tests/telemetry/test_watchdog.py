"""Memory that runs out is told before it has, with who took it; and what /proc and powercap tell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.telemetry.readings import MACHINE, gpu, sampled
from tui_chat.engine.watchdog import Watchdog
from tui_chat.telemetry.growth import Growth
from tui_chat.telemetry.owners import Worker
from tui_chat.telemetry.rapl import Packages
from tui_chat.wire.scarce import Grower
from tui_chat.wire.telemetry import GpuProcess, Sample

MIB, GIB = 1 << 20, 1 << 30


class Clock:
    """Stands for the time of day in what is tested."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("tui_chat.engine.watchdog", "tui_chat.telemetry.growth", "tui_chat.telemetry.rapl"):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


def ram(free: int, *growers: Grower) -> Sample:
    machine = type(MACHINE)(ram_bytes=32 * GIB, available_bytes=free, growers=growers)
    return sampled(machine=machine)


def dog(*workers: Worker) -> tuple[Watchdog, list[int]]:
    told: list[int] = []
    return Watchdog(lambda: workers, lambda: told.append(1)), told


def test_what_is_nearly_gone_is_told_until_there_is_plenty(clock: Clock) -> None:
    watching, told = dog(Worker(7, "smol", {}))
    watching.look(ram(600 * MIB))
    assert (watching.scarce, told) == ((), [])
    watching.look(ram(500 * MIB, Grower(7, "python", GIB), Grower(8, "firefox", 90 * MIB)))
    (found,) = watching.scarce
    assert (found.device, found.free_bytes, len(told)) == ("RAM", 500 * MIB, 1)
    assert [(each.model, each.name) for each in found.growers] == [("smol", "python"), (None, "firefox")]
    watching.look(ram(700 * MIB))
    assert watching.scarce, "not enough more to take it back"
    watching.look(ram(800 * MIB))
    assert watching.scarce == ()
    assert len(told) == 3


def test_what_shrinks_fast_is_told_before_it_is_gone(clock: Clock) -> None:
    watching, _ = dog()
    free = [4 * GIB - second * 250 * MIB for second in range(9)]
    said = []
    for amount in free:
        watching.look(ram(amount))
        said.append(bool(watching.scarce))
        clock.now += 1
    first = said.index(True)
    assert watching.scarce[0].left_s == pytest.approx(free[-1] / (250 * MIB), rel=0.01)
    assert first >= 5, "a trend takes some seconds to tell"
    assert free[first] > 2 * GIB
    clock.now += 60
    watching.look(ram(free[-1]))
    assert watching.scarce == (), "it shrinks no more, and there is enough"


def test_much_that_shrinks_is_a_cache_that_comes_and_goes(clock: Clock) -> None:
    watching, _ = dog()
    for second in range(12):
        watching.look(ram(30 * GIB - second * 2 * GIB))
        clock.now += 1
    assert watching.scarce == ()


def test_who_grew_on_a_gpu_is_told(clock: Clock) -> None:
    watching, _ = dog()

    def card(free: int, *processes: GpuProcess) -> Sample:
        total = 24 * GIB
        return sampled(gpu(1, total_bytes=total, used_bytes=total - free, processes=processes))

    watching.look(card(4 * GIB, GpuProcess(1, 8 * GIB, name="game"), GpuProcess(2, 12 * GIB, model="m")))
    clock.now += 30
    watching.look(card(100 * MIB, GpuProcess(1, 11 * GIB, name="game"), GpuProcess(2, 12 * GIB, model="m")))
    (found,) = watching.scarce
    assert (found.device, found.growers) == ("GPU 1", (Grower(1, "game", 3 * GIB),))
    watching.look(None)
    assert watching.scarce == (), "nobody reads that any more"


def process(proc: Path, pid: int, name: str, taken: int) -> None:
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "comm").write_text(f"{name}\n")
    pages = taken // os.sysconf("SC_PAGE_SIZE")
    (proc / str(pid) / "statm").write_text(f"{pages * 2} {pages} 0 0 0 0 0\n")


def test_processes_that_grew_within_a_minute_are_found(tmp_path: Path, clock: Clock) -> None:
    growth = Growth(tmp_path)
    process(tmp_path, 1, "init", 10 * MIB)
    process(tmp_path, 5, "steady", 4 * GIB)
    process(tmp_path, 6, "grows", 1 * GIB)
    (tmp_path / "7").mkdir()  # it has ended meanwhile
    growth.look(now=False)
    assert growth.growers() == ()
    process(tmp_path, 6, "grows", 3 * GIB)
    process(tmp_path, 9, "new", 500 * MIB)
    clock.now += 5
    growth.look(now=False)
    assert growth.growers() == (), "it is not time yet"
    growth.look(now=True)
    assert growth.growers() == (Grower(6, "grows", 2 * GIB), Grower(9, "new", 500 * MIB))
    for _ in range(7):
        clock.now += 10
        growth.look(now=False)
    assert growth.growers() == (), "that was more than a minute ago"
    assert Growth(tmp_path / "nowhere").growers() == ()


def zone(root: Path, name: str, called: str, joules: float, wraps: float = 1000.0) -> None:
    (root / name).mkdir(exist_ok=True)
    (root / name / "name").write_text(f"{called}\n")
    (root / name / "energy_uj").write_text(f"{int(joules * 1e6)}\n")
    (root / name / "max_energy_range_uj").write_text(f"{int(wraps * 1e6)}\n")


def test_power_is_that_of_all_packages_and_of_nothing_within_them(tmp_path: Path, clock: Clock) -> None:
    def read(first: float, second: float) -> float | None:
        zone(tmp_path, "intel-rapl:0", "package-0", first)
        zone(tmp_path, "intel-rapl:1", "package-1", second)
        zone(tmp_path, "intel-rapl:0:0", "core", first * 100)
        zone(tmp_path, "intel-rapl:2", "psys", first * 100)
        clock.now += 2
        return packages.power_w()

    packages = Packages(tmp_path)
    assert read(100, 990) is None, "one reading tells no power"
    assert read(160, 998) == pytest.approx(34)
    assert read(200, 18) == pytest.approx(30), "the second counter began anew"
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    clock.now += 2
    assert packages.power_w() == pytest.approx(0)
    assert Packages(tmp_path / "nowhere").power_w() is None
