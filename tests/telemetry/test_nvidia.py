"""NVIDIA's GPUs through the real binding: whole ones, slices, shy ones; drivers that come and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.support import ask, engine_in
from tests.homes import Home
from tests.telemetry.script import GB, H200, Script, leading_to, make_driver
from tui_chat.client.engine import EngineClient
from tui_chat.telemetry.nvidia import NvidiaSource
from tui_chat.wire.telemetry import DriverState, Sample, Throttle, Unread

LIBRARY_MISMATCH, NO_PERMISSION, LOST, NOT_LOADED = 18, 4, 15, 9


def told(home: Home) -> dict:
    done = home.run("status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def sampled(client: EngineClient, wanted: Callable[[Sample], object]) -> Sample:
    """The first sample of which `wanted` is true."""
    async with asyncio.timeout(30):
        async for sample in client.instruments():
            if wanted(sample):
                return sample
    raise AssertionError("the stream of samples ended")


def driver(sample: Sample) -> DriverState:
    return next(each.state for each in sample.drivers if each.maker == "nvidia")


def test_a_gpu_tells_all_it_can_and_why_not_more(empty_home: Home, script: Script) -> None:
    shy = {"uuid": "GPU-2", "name": "NVIDIA T4", "memory": "!999", "power": "!4"}
    script.play({**H200, "process": [f"4194304 {7 * GB}"]}, shy)
    busy, little = told(empty_home)["gpus"]
    assert busy["name"] == "NVIDIA H200"
    assert (busy["used_bytes"], busy["total_bytes"]) == (22 * GB, 140 * GB)
    assert (busy["utilisation"], busy["memory_utilisation"]) == (0.88, 0.41)
    assert (busy["temperature_c"], busy["warn_c"], busy["stop_c"]) == (61, 92, 97)
    assert (busy["power_w"], busy["limit_w"]) == (312, 700)
    assert (busy["clock_mhz"], busy["top_clock_mhz"], busy["memory_clock_mhz"]) == (1410, 1980, 2619)
    assert busy["throttled"] == [Throttle.POWER_LIMIT, Throttle.HEAT]
    assert busy["processes"] == [{"pid": 4194304, "used_bytes": 7 * GB}]
    assert busy["unread"] == {"fan": Unread.NOT_SUPPORTED}
    assert "temperature_c" not in little
    assert little["unread"]["memory"] == Unread.FAILED
    assert little["unread"]["power"] == Unread.NO_PERMISSION
    lines = empty_home.run("status").stdout
    assert "GPU 0  NVIDIA H200" in lines
    assert "VRAM  20.5 of 130.4 GiB" in lines
    assert "88 % · 61 °C (slows down at 92 °C) · 312 of 700 W" in lines
    assert "clocks 1,410 of 1,980 MHz: power limit, heat" in lines
    assert "process 4194304  6.5 GiB" in lines


def test_processes_are_told_by_an_older_driver_too_and_through_a_server(
    empty_home: Home, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.play({**H200, "process": f"4194304 {7 * GB}", "serving": f"4194303 {GB}"})
    newer = told(empty_home)["gpus"]
    make_driver(tmp_path, older=True)
    for name, value in leading_to(tmp_path, script).items():
        monkeypatch.setenv(name, value)
    assert told(empty_home)["gpus"] == newer
    assert [each["pid"] for each in newer[0]["processes"]] == [4194303, 4194304]


def test_slices_of_a_gpu_are_told_beside_it(empty_home: Home, script: Script) -> None:
    slices = {f"mig.{n}.uuid": f"MIG-{n}" for n in (0, 2)}
    names = {f"mig.{n}.name": "NVIDIA A100 MIG 1g.5gb" for n in (0, 2)}
    script.play({**H200, "mig": 1, **slices, **names, "mig.2.memory": f"{GB} {5 * GB}"})
    whole, first, third = told(empty_home)["gpus"]
    assert "slice" not in whole
    assert (first["slice"], third["slice"]) == (0, 2)
    assert (third["index"], third["total_bytes"]) == (0, 5 * GB)
    assert "GPU 0.2  NVIDIA A100 MIG 1g.5gb" in empty_home.run("status").stdout


def test_a_driver_that_refuses_says_why(empty_home: Home, script: Script) -> None:
    script.play(H200, driver_error=LIBRARY_MISMATCH)
    assert "of different releases, as after an update; a reboot helps" in empty_home.run("status").stdout
    script.play(H200, driver_error=NO_PERMISSION)
    assert "no permission for /dev/nvidiactl" in empty_home.run("status").stdout
    script.play(driver_error=NOT_LOADED)
    assert "GPU     none; models run on the processors" in empty_home.run("status").stdout


def test_a_driver_without_its_library_is_not_taken_for_no_gpu(tmp_path: Path) -> None:
    control = tmp_path / "nvidiactl"
    control.touch()
    driver = NvidiaSource(control).read().driver
    assert driver is not None
    if driver.state is DriverState.READY:
        pytest.skip("this machine has the library")
    assert (driver.state, "libnvidia-ml.so.1, is not found" in driver.what) == (DriverState.REFUSED, True)


async def test_a_driver_goes_and_comes_back_and_a_gpu_falls_off_the_bus(home: Home, script: Script) -> None:
    script.play(H200, {**H200, "uuid": "GPU-2"})
    async with engine_in(home) as client:
        await sampled(client, lambda s: len(s.gpus) == 2)
        script.play(H200, {**H200, "uuid": "GPU-2", "lost": 1})
        sample = await sampled(client, lambda s: any(gpu.problem for gpu in s.gpus))
        assert [gpu.index for gpu in sample.gpus if gpu.problem] == [1]
        assert "fallen off the bus" in sample.gpus[1].problem
        assert sample.gpus[0].temperature_c == 61
        script.play(driver_error=NOT_LOADED)
        sample = await sampled(client, lambda s: driver(s) is DriverState.ABSENT)
        assert sample.gpus == ()
        script.play({**H200, "temperature": 48})
        sample = await sampled(client, lambda s: s.gpus)
        assert (driver(sample), sample.gpus[0].temperature_c) == (DriverState.READY, 48)


async def test_a_driver_that_hangs_is_said_to_and_holds_up_nothing(home: Home, script: Script) -> None:
    script.play(H200)
    async with engine_in(home) as client:
        await sampled(client, lambda s: s.gpus)
        script.play(H200, hang_ms=5000)
        silent = await sampled(client, lambda s: driver(s) is DriverState.SILENT)
        assert silent.gpus[0].temperature_c is None, "what it told last is no longer true"
        assert "has not answered for" in silent.gpus[0].problem
        later = await sampled(client, lambda s: s.at > silent.at)
        assert later.machine.cores, "the rest is still read"
        answer = await ask(client, "SmolLM2", "Hello.")
        assert answer.usage.completion_tokens > 0
        script.play(H200)
        await sampled(client, lambda s: driver(s) is DriverState.READY)


async def test_our_workers_are_told_from_other_processes(home: Home, script: Script) -> None:
    script.play(H200)
    async with engine_in(home) as client:
        await ask(client, "SmolLM2", "Hello.")
        worker = home.worker()
        assert worker is not None
        script.play({**H200, "process": [f"{worker.pid} {5 * GB}", f"1 {GB}"]})
        sample = await sampled(client, lambda s: s.gpus and s.gpus[0].processes)
        told = {each.pid: each for each in sample.gpus[0].processes or ()}
        assert told[worker.pid].model == (await client.info()).residents[0].id
        assert told[1].model is None
        assert told[1].name
