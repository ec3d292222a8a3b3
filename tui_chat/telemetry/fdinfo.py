"""How much VRAM processes take through the kernel's graphics drivers, as with Vulkan and SYCL.

Each open file of such a driver tells it in ``/proc/PID/fdinfo``, to whom the process belongs: see the
kernel's Documentation/gpu/drm-usage-stats.rst. To read that of every process is too dear to do every second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from tui_chat.telemetry.family import PROC

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
_KINDS = ("total", "memory", "resident")
"""What is told of a region of memory; a later one is nearer to what is taken of it now."""
_REGIONS = ("vram", "local")
"""What memory of the GPU's own is called: by AMD's driver and Intel's newer one, by Intel's older one."""


def drm_memory(pids: Iterable[int], proc: Path = PROC) -> dict[str, dict[int, int]]:
    """The bytes by the GPU's place on the PCI bus and the process; nothing of those we may not look at.

    What a process takes of AMD's GPUs by ROCm is left out: the driver for that tells it (see kfd.py), by
    numbers of processes that may be others in a container.
    """
    taken: dict[str, dict[int, int]] = defaultdict(dict)
    for pid in pids:
        with suppress(OSError):
            for slot, used in _of(proc / str(pid)).items():
                taken[slot][pid] = used
    return dict(taken)


def _of(process: Path) -> dict[str, int]:
    """The bytes that one process takes, by place."""
    opened = {file.name: _target(file) for file in (process / "fd").iterdir()}
    by_rocm = "/dev/kfd" in opened.values()
    clients: dict[tuple[str, str], int] = {}
    for fd in (fd for fd, target in opened.items() if target.startswith("/dev/dri/")):
        facts = _facts(process / "fdinfo" / fd)
        if not (by_rocm and facts.get("drm-driver") == "amdgpu"):
            # A file that was opened once may have several numbers; it is counted once.
            clients[facts.get("drm-pdev", ""), facts.get("drm-client-id", fd)] = _vram(facts)
    taken: dict[str, int] = defaultdict(int)
    for (slot, _), used in clients.items():
        taken[slot] += used
    return {slot: used for slot, used in taken.items() if used}


def _target(link: Path) -> str:
    with suppress(OSError):  # closed meanwhile
        return str(link.readlink())
    return ""


def _facts(path: Path) -> dict[str, str]:
    lines: list[str] = []
    with suppress(OSError):
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    split = (line.partition(":") for line in lines)
    return {key: value.strip() for key, _, value in split}


def _vram(facts: Mapping[str, str]) -> int:
    regions: dict[str, int] = {}
    for kind in _KINDS:
        for key, value in facts.items():
            region = key.removeprefix(f"drm-{kind}-")
            if region != key and region.startswith(_REGIONS):
                regions[region] = _bytes(value)
    return sum(regions.values())


def _bytes(value: str) -> int:
    number, _, unit = value.partition(" ")
    return int(number) * _UNITS.get(unit.strip(), 0) if number.isdigit() else 0
