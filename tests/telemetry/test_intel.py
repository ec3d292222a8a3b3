"""Intel's GPUs, by both of the kernel's drivers, and GPUs that nothing reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.telemetry.readings import MACHINE
from tests.telemetry.trees import drm_client, plant, plant_card, plant_process
from tui_chat.telemetry.intel import IntelSource
from tui_chat.telemetry.others import OtherSource
from tui_chat.telemetry.sampler import joined
from tui_chat.telemetry.source import Reading
from tui_chat.ui.instruments import summary
from tui_chat.wire.readings import lines_of
from tui_chat.wire.telemetry import DriverState, GpuProcess, GpuSample, Maker, Throttle, Unread

GIB = 1 << 30
MIB = 1 << 20
SLOT = "0000:03:00.0"
ENGINE, WORKER = 100, 101


@pytest.fixture
def source(tmp_path: Path) -> IntelSource:
    return IntelSource(ENGINE, tmp_path / "drm", tmp_path / "proc")


def read(source: IntelSource) -> GpuSample:
    (gpu,) = source.read().gpus
    return gpu


def test_an_arc_is_read_by_the_older_driver(source: IntelSource, tmp_path: Path) -> None:
    card = plant_card(tmp_path / "drm", 0, "0x8086", "i915", SLOT, device="0x56a0")
    plant(card, {"lmem_total_bytes": 16 * GIB})
    clocks = {"rps_act_freq_mhz": 2100, "rps_RP0_freq_mhz": 2400, "rps_max_freq_mhz": 2300}
    reasons = {"throttle_reason_status": 1, "throttle_reason_pl1": 1, "throttle_reason_thermal": 0}
    plant(card / "gt/gt0", {**clocks, **reasons})
    part = {"name": "i915_gt0", "energy1_input": 1}
    plant(card / "device/hwmon/hwmon2", part)
    sensors = {"name": "i915", "temp1_input": 66_000, "power1_max": 190_000_000, "energy1_input": 5_000_000}
    plant(card / "device/hwmon/hwmon3", {**sensors, "fan1_input": 1200})
    gpu = read(source)
    assert (gpu.id, gpu.maker, gpu.name) == (SLOT, Maker.INTEL, "Intel GPU 56a0")
    assert (gpu.total_bytes, gpu.used_bytes, gpu.temperature_c) == (16 * GIB, None, 66)
    assert (gpu.clock_mhz, gpu.top_clock_mhz, gpu.throttled) == (2100, 2400, (Throttle.POWER_LIMIT,))
    assert (gpu.power_w, gpu.limit_w) == (None, 190)
    plant(card / "device/hwmon/hwmon3", {"energy1_input": 6_000_000})
    later = read(source)
    assert later.power_w is not None
    assert later.power_w > 0, "power is energy over time"
    plant(card / "device/hwmon/hwmon3", {"energy1_input": 10})
    assert read(source).power_w is None, "it began anew"
    for field in ("memory", "utilisation", "fan", "processes", "slowdown"):
        assert gpu.unread[field] is Unread.NOT_SUPPORTED


def test_an_arc_is_read_by_the_newer_driver_with_our_workers(source: IntelSource, tmp_path: Path) -> None:
    card = plant_card(tmp_path / "drm", 1, "0x8086", "xe", SLOT, device="0xe20b")
    plant(card / "device/tile0", {"physical_vram_size_bytes": 12 * GIB})
    clocks = {"act_freq": 2650, "rp0_freq": 2850, "max_freq": 2700}
    reasons = {"throttle/status": 1, "throttle/reason_soc_thermal": 1, "throttle/reason_prochot": 1}
    plant(card / "device/tile0/gt0/freq0", {**clocks, **reasons})
    sensors = {"name": "xe", "temp2_input": 71_000, "temp2_crit": 95_000, "temp3_input": 80_000}
    plant(card / "device/hwmon/hwmon5", {**sensors, "power1_max": 0, "energy1_input": 1})
    told = drm_client("xe", SLOT, 3, total_vram0="900 MiB", resident_vram0="800 MiB", resident_gtt="1 MiB")
    plant_process(tmp_path / "proc", ENGINE, None, {})
    plant_process(tmp_path / "proc", WORKER, ENGINE, {"5": ("/dev/dri/renderD129", told)})
    gpu = read(source)
    assert (gpu.total_bytes, gpu.temperature_c, gpu.warn_c, gpu.limit_w) == (12 * GIB, 71, 95, None)
    assert (gpu.clock_mhz, gpu.top_clock_mhz) == (2650, 2850)
    assert gpu.throttled == (Throttle.HEAT, Throttle.HEAT_HARDWARE)
    assert gpu.processes == (GpuProcess(WORKER, 800 * MIB),)
    plant(card / "device/power", {"runtime_status": "suspended"})
    assert "sleeps" in read(source).problem


def lines(drm: Path, system: str = "linux") -> list[str]:
    """What is said of the GPUs of a machine with these cards."""
    readings = [Reading(machine=MACHINE), IntelSource(ENGINE, drm).read(), OtherSource(drm, system).read()]
    sample = joined(readings, 0.0)
    assert sample is not None
    assert all(driver.state is DriverState.ABSENT for driver in sample.drivers)
    assert summary(sample)[0].startswith("RAM"), "what can be read takes the room"
    return [line for line in lines_of(sample) if not line.startswith(("CPU", "RAM"))]


def test_what_is_built_into_a_processor_or_only_shows_pictures_is_no_gpu(tmp_path: Path) -> None:
    plant_card(tmp_path, 0, "0x8086", "i915", "0000:00:02.0")
    plant_card(tmp_path, 1, "0x1af4", "virtio_gpu", "0000:00:01.0")
    screen = plant_card(tmp_path, 2, "0x1a03", "ast", "0000:05:00.0")
    (screen / "device/drm/renderD130").rmdir()
    plant(tmp_path, {"card3/device/uevent": "DRIVER=vc4-drm\nOF_NAME=gpu"})
    assert lines(tmp_path) == ["GPU     none; models run on the processors"]


def test_a_gpu_that_nothing_reads_is_not_denied(tmp_path: Path) -> None:
    plant_card(tmp_path, 0, "0x10de", "nouveau", SLOT)
    plant_card(tmp_path, 1, "0x10de", "nvidia", "0000:04:00.0")
    plant_card(tmp_path, 2, "0x1ed5", "mtgpu", "0000:05:00.0")
    plant(tmp_path, {"card3/device/uevent": "DRIVER=asahi\nOF_NAME=gpu"})
    assert lines(tmp_path) == [
        "GPU 0  NVIDIA GPU",
        "  It cannot be read: its driver is nouveau. NVIDIA's own is needed.",
        "GPU 1  GPU of maker 0x1ed5",
        "  It cannot be read: its driver is mtgpu.",
        "GPU 2  Apple GPU",
        "  It cannot be read: its driver is asahi.",
    ]
    assert lines(tmp_path / "none", "darwin")[0] == "GPU 0  Apple GPU"
