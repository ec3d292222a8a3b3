"""The machine itself, whose processes are on a GPU, and sources that break."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import psutil
import pytest

from tests.engine.support import ask, engine_in
from tests.homes import Home
from tui_chat.telemetry.disks import moved_bytes
from tui_chat.telemetry.machine import MachineSource
from tui_chat.telemetry.owners import Worker, named
from tui_chat.telemetry.sampler import Sampler
from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import Driver, DriverState, GpuProcess, GpuSample, Maker

GB = 10**9


async def test_the_machine_is_read_with_our_share(home: Home) -> None:
    async with engine_in(home) as client:
        before = await client.telemetry()
        await ask(client, "SmolLM2", "Hello.")
        worker = home.worker()
        assert worker is not None
        rss = worker.memory_info().rss
        async with asyncio.timeout(10):  # a reading is good for a second
            while (after := await client.telemetry()).machine.ours_bytes == before.machine.ours_bytes:
                await asyncio.sleep(0.05)
    assert len(after.machine.cores) == psutil.cpu_count()
    assert all(0 <= core <= 1 for core in after.machine.cores)
    assert 0 < after.machine.available_bytes < after.machine.ram_bytes
    assert after.machine.ours_bytes - before.machine.ours_bytes > rss / 2


def test_rates_are_of_the_time_between_two_readings() -> None:
    source = MachineSource(os.getpid())
    first, second = source.read().machine, source.read().machine
    assert first is not None
    assert second is not None
    assert (first.ours, first.read_bps) == (None, None)
    assert second.ours is not None
    assert second.read_bps is not None


def test_what_is_laid_over_a_disk_is_not_counted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encrypted volume and a loop repeat what its disk does; a part of one belongs to it."""
    stats = "   {} 0 {} 10 0 {} 5 20 0 {} 5 0 5 5\n"
    devices = ("nvme0n1", 2000, 100), ("nvme0n1p1", 2000, 100), ("dm-0", 2000, 100), ("sda", 48, 0)
    lines = [stats.format(8, name, read, written) for name, read, written in devices]
    (tmp_path / "diskstats").write_text("".join(lines))
    for name in ("nvme0n1/device", "dm-0", "sda/device"):
        (tmp_path / "block" / name).mkdir(parents=True)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert moved_bytes(tmp_path / "block") == (2048 * 512, 100 * 512)


def test_processes_are_ours_by_their_numbers_elsewhere_or_by_their_memory(tmp_path: Path) -> None:
    for pid, name, numbers in ((50, "python", "50\t7"), (60, "blender", "60")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n")
        (tmp_path / str(pid) / "status").write_text(f"Name:\t{name}\nNSpid:\t{numbers}\n")
    workers = [Worker(50, "a", {0: 2 * GB}), Worker(51, "b", {0: 5 * GB}), Worker(52, "c", {1: 5 * GB})]
    processes = tuple(
        GpuProcess(pid, used) for pid, used in ((7, 2 * GB), (60, 5 * GB), (9, 5 * GB + 4 * 10**8))
    )
    gpu = GpuSample(id="1", index=0, maker=Maker.NVIDIA, name="GPU", processes=processes)
    (told,) = named([gpu], workers, tmp_path)
    assert told.processes is not None
    assert {each.pid: each.model or each.name for each in told.processes} == {7: "a", 60: "blender", 9: "b"}


class Broken:
    """A source with a fault that nobody has thought of; the third reading would be good again."""

    name = "amd"

    def __init__(self) -> None:
        self.readings = 0
        self.good = threading.Event()

    def read(self) -> Reading:
        self.readings += 1
        if self.readings < 3:
            raise ValueError("nobody has thought of this")
        self.good.set()
        return Reading(Driver(Maker.AMD, DriverState.READY))

    def close(self) -> None:
        pass


def test_a_source_that_breaks_ends_no_reading(caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken()
    sampler = Sampler([MachineSource(os.getpid()), broken], period_s=0.01)
    sampler.want(True)
    assert broken.good.wait(30)
    sampler.want(True)
    sampler.close()
    assert caplog.text.count("cannot read amd") == 1
