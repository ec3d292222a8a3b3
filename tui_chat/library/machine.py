"""How much memory this machine has for models: in all, whoever uses some of it just now."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_GIB = 1 << 30
_SYSTEM = 2 * _GIB
"""Left to everything else on the machine, or a share if that is more."""
_SHARE = 0.15
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory in bytes: of the machine or of the container we are in, and of its GPUs together."""

    ram: int
    vram: int = 0

    @property
    def vram_budget(self) -> int:
        """What models may take of the GPUs."""
        return int(self.vram * 0.92)

    @property
    def budget(self) -> int:
        """What models may take of everything, layers being shared out between GPU and CPU."""
        return self.ram - int(max(min(_SYSTEM, self.ram / 2), self.ram * _SHARE)) + self.vram_budget

    @property
    def words(self) -> str:
        """Say what there is."""
        gpu = f", and {self.vram / _GIB:.1f} GiB on the GPU" if self.vram else ""
        return f"this machine has {self.ram / _GIB:.1f} GiB{gpu}"


def this_machine() -> Machine:
    """Look at this machine. Takes milliseconds, or a second where a GPU must be woken."""
    ram = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(min([ram, *_limits()]), _vram())


def _limits() -> list[int]:
    """The limits of the control groups that we are in, from ours to the topmost."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []
    files = [_CGROUP / "memory" / "memory.limit_in_bytes"]
    for group in (line.partition("::")[2] for line in lines if line.startswith("0::")):
        folder = _CGROUP / group.lstrip("/")
        inside = [each for each in (folder, *folder.parents) if each.is_relative_to(_CGROUP)]
        files += [each / "memory.max" for each in inside]
    return [limit for limit in map(_number, files) if limit is not None]


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max" is no number
        return None


def _vram() -> int:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0
    try:
        devices = (pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount()))
        return sum(int(pynvml.nvmlDeviceGetMemoryInfo(device).total) for device in devices)
    except pynvml.NVMLError:
        return 0
    finally:
        pynvml.nvmlShutdown()
