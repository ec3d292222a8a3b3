"""Devices are read without waiting for a driver that hangs, and without using up the loop's own threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.worker.support import PATIENCE_S
from tui_chat.backends.protocol import BackendError
from tui_chat.engine.swap.machine import MachineReader
from tui_chat.memory.devices import read_ram
from tui_chat.memory.machine import Machine
from tui_chat.wire.plan import DeviceKind, DeviceSpec

GPU = DeviceSpec(name="gpu0", kind=DeviceKind.CUDA, total_bytes=24 << 30, free_bytes=20 << 30)


class Driver:
    """Answers, hangs until it is let go, or fails."""

    def __init__(self) -> None:
        self.well = threading.Event()
        self.well.set()
        self.fails = False
        self.asked = 0

    def read(self) -> Machine:
        self.asked += 1
        self.well.wait()
        if self.fails:
            raise OSError("gone")
        return Machine((GPU,), read_ram())


async def test_a_driver_that_hangs_is_asked_once_and_what_it_told_stays_true() -> None:
    driver = Driver()
    reader = MachineReader(driver.read, patience_s=0.05)
    assert (await reader.read()).gpus == (GPU,)
    driver.well.clear()
    before = set(threading.enumerate())
    for _ in range(20):
        machine = await reader.read()
        assert machine.gpus == (GPU,)
        assert machine.ram.free_bytes > 0
    assert driver.asked == 2
    assert len(set(threading.enumerate()) - before) == 1
    driver.well.set()
    async with asyncio.timeout(PATIENCE_S):
        while driver.asked < 4:
            await reader.read()


async def test_a_driver_that_never_told_anything_stops_the_load_with_words() -> None:
    driver = Driver()
    driver.well.clear()
    reader = MachineReader(driver.read, patience_s=0.05)
    with pytest.raises(BackendError, match="does not answer"):
        await reader.read()
    driver.fails = True
    driver.well.set()
    async with asyncio.timeout(PATIENCE_S):
        while driver.asked < 2:
            with pytest.raises(BackendError):
                await reader.read()


async def test_readings_at_once_do_not_count_as_hanging() -> None:
    driver = Driver()
    reader = MachineReader(driver.read)
    machines = await asyncio.gather(*(reader.read() for _ in range(8)))
    assert [machine.gpus for machine in machines] == [(GPU,)] * 8
