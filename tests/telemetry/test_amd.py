"""AMD's GPUs, as the kernel shows them in files: what they tell, who uses them, why they are slow."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.telemetry.trees import drm_client, plant, plant_card, plant_process
from tui_chat.telemetry.amd import AmdSource
from tui_chat.wire.telemetry import DriverState, GpuProcess, GpuSample, Throttle, Unread

GB = 10**9
MIB = 1 << 20
SLOT = "0000:03:00.0"
ENGINE, WORKER = 100, 101


def metrics(release: tuple[int, int], *, size: int, at: int, bits: int) -> bytes:
    """A table as the driver writes it: 0xff wherever it fills nothing."""
    table = bytearray(b"\xff" * size)
    struct.pack_into("<HBB", table, 0, size, *release)
    struct.pack_into("<Q", table, at, bits)
    return bytes(table)


@pytest.fixture
def drm(tmp_path: Path) -> Path:
    """A card of AMD's behind one of somebody else's, as the kernel shows them."""
    drm = tmp_path / "drm"
    (drm / "card1-DP-1").mkdir(parents=True)
    plant_card(drm, 0, "0x8086", "i915", "0000:00:02.0")
    card = plant_card(drm, 1, "0x1002", "amdgpu", SLOT, device="0x744c")
    sensors = {
        "name": "amdgpu",
        "temp1_input": 71_000,
        "temp1_crit": 100_000,
        "temp1_emergency": 105_000,
        "power1_average": 290_000_000,
        "power1_cap": 327_000_000,
        "freq1_input": 1_800_000_000,
        "freq2_input": "nonsense",
        "pwm1": 51,
    }
    plant(card / "device/hwmon/hwmon3", sensors)
    files = {
        "mem_info_vram_total": 24 * GB,
        "mem_info_vram_used": 5 * GB,
        "gpu_busy_percent": 97,
        "pp_dpm_sclk": "0: 500Mhz\n1: 1800Mhz *\n2: 2900Mhz",
    }
    plant(card / "device", files)
    return drm


@pytest.fixture
def source(drm: Path, tmp_path: Path) -> AmdSource:
    return AmdSource(ENGINE, drm, tmp_path / "kfd", tmp_path / "proc")


def read(source: AmdSource) -> GpuSample:
    (gpu,) = source.read().gpus
    return gpu


def test_a_card_is_read_from_its_files(source: AmdSource) -> None:
    reading = source.read()
    assert reading.driver is not None
    assert reading.driver.state is DriverState.READY
    (gpu,) = reading.gpus
    assert (gpu.id, gpu.name) == (SLOT, "AMD GPU 744c")
    assert (gpu.used_bytes, gpu.total_bytes, gpu.utilisation) == (5 * GB, 24 * GB, 0.97)
    assert (gpu.temperature_c, gpu.warn_c, gpu.stop_c) == (71, 100, 105)
    assert (gpu.power_w, gpu.limit_w) == (290, 327)
    assert (gpu.clock_mhz, gpu.top_clock_mhz, gpu.fan) == (1800, 2900, 0.2)
    assert gpu.unread["memory clock"] is Unread.FAILED
    assert gpu.unread["throttling"] is Unread.NOT_SUPPORTED
    assert gpu.unread["processes"] is Unread.NOT_SUPPORTED


def test_without_a_card_it_is_absent(tmp_path: Path) -> None:
    reading = AmdSource(ENGINE, tmp_path).read()
    assert reading.driver is not None
    assert (reading.driver.state, reading.gpus) == (DriverState.ABSENT, ())


def test_a_card_that_goes_is_missed_at_once(source: AmdSource, drm: Path) -> None:
    assert source.read().gpus
    (drm / "card1").rename(drm / "gone")
    assert source.read().gpus == ()


def test_a_card_that_sleeps_is_left_to(source: AmdSource, drm: Path) -> None:
    plant(drm / "card1/device/power", {"runtime_status": "suspended"})
    gpu = read(source)
    assert (gpu.total_bytes, gpu.temperature_c) == (24 * GB, None)
    assert "sleeps" in gpu.problem


def test_whoever_computes_by_rocm_is_told_with_what_it_takes(source: AmdSource, tmp_path: Path) -> None:
    """Also where a GPU is divided: its parts have numbers of their own, and one place on the bus."""
    nodes = {"0": (0, 0), "1": (7001, 3 << 8), "2": (7002, 3 << 8 | 1 << 28 | 1), "3": (7003, 4 << 8)}
    for node, (number, location) in nodes.items():
        folder = tmp_path / "kfd/topology/nodes" / node
        plant(folder, {"gpu_id": number, "properties": f"simd_count 96\nlocation_id {location}\ndomain 0"})
    plant(tmp_path / "kfd/proc", {"500/vram_7001": 3 * GB, "500/vram_7002": GB, "500/vram_7003": 9 * GB})
    plant(tmp_path / "kfd/proc", {"501/vram_7001": 0, "501/pasid": 32770})
    assert read(source).processes == (GpuProcess(500, 4 * GB),)
    (tmp_path / "kfd/proc/500").rename(tmp_path / "ended")
    assert read(source).processes == ()


def test_our_workers_are_told_without_rocm_too(source: AmdSource, tmp_path: Path) -> None:
    """By Vulkan each opened card tells it, once for all numbers it has; what ROCm tells is not told again."""
    here = drm_client("amdgpu", SLOT, 7, memory_vram="1024 KiB", resident_vram="2048 MiB", memory_gtt="9 MiB")
    there = drm_client("amdgpu", "0000:04:00.0", 7, memory_vram="5 MiB")
    card = "/dev/dri/renderD129"
    opened = {
        "3": (card, here),
        "4": (card, here),
        "5": ("/dev/dri/renderD130", there),
        "6": ("/tmp/x", here),
    }
    plant_process(tmp_path / "proc", ENGINE, None, {})
    plant_process(tmp_path / "proc", WORKER, ENGINE, opened)
    plant_process(tmp_path / "proc", 200, None, {"3": (card, here)})
    assert read(source).processes == (GpuProcess(WORKER, 2048 * MIB),)
    (tmp_path / f"proc/{WORKER}/fd/9").symlink_to("/dev/kfd")
    assert read(source).processes is None


@pytest.mark.parametrize(
    ("release", "size", "at"),
    [((1, 3), 120, 112), ((2, 2), 128, 120), ((2, 3), 152, 120), ((2, 4), 164, 120)],
)
def test_why_it_is_slow_is_said_in_words(
    source: AmdSource, drm: Path, release: tuple[int, int], size: int, at: int
) -> None:
    def told(bits: int) -> tuple[Throttle, ...]:
        plant(drm / "card1/device", {"gpu_metrics": metrics(release, size=size, at=at, bits=bits)})
        gpu = read(source)
        assert "throttling" not in gpu.unread
        return gpu.throttled

    assert told(0) == ()
    assert told(1 << 1) == told(1 << 16) == (Throttle.POWER_LIMIT,)
    assert told(1 << 36 | 1) == (Throttle.POWER_LIMIT, Throttle.HEAT)
    assert told(1 << 44) == told(1 << 47) == (Throttle.HEAT_HARDWARE,)
    assert told(1 << 57) == (Throttle.HARDWARE,)


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"\x78",
        metrics((1, 3), size=120, at=112, bits=(1 << 64) - 1),
        metrics((1, 3), size=120, at=112, bits=2)[:100],
        metrics((1, 4), size=288, at=112, bits=2),
        metrics((3, 0), size=264, at=120, bits=2),
    ],
    ids=["empty", "torn header", "not filled", "torn", "MI300", "newest APU"],
)
def test_a_table_that_does_not_tell_why_is_not_guessed_from(
    source: AmdSource, drm: Path, table: bytes
) -> None:
    plant(drm / "card1/device", {"gpu_metrics": table})
    gpu = read(source)
    assert gpu.throttled == ()
    assert gpu.unread["throttling"] is Unread.NOT_SUPPORTED
