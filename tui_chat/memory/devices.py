"""Which devices this machine has, or another that somebody describes, and what is free on them now."""

from __future__ import annotations

import re
from collections.abc import Collection

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.cgroup import memory_limit
from tui_chat.memory.gpus import amd_gpus, nvidia_gpus
from tui_chat.memory.machine import Machine
from tui_chat.wire.plan import DeviceKind, DeviceSpec

RAM = "ram"
_DEVICE = re.compile(
    r"(?P<kind>gpu|cuda|ram):(?P<free>[\d.]+)(?P<unit>[KMGT]i?B?|B)?(?:/(?P<total>[\d.]+)(?P<total_unit>[KMGT]i?B?|B)?)?"
    r"(?:@(?P<speed>[\d.]+))?",
    re.IGNORECASE,
)
_UNITS = {"": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40}


class DevicesError(Exception):
    """A description of devices makes no sense; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def parse_devices(text: str) -> Machine:
    """Read a description such as ``gpu:24GiB,gpu:24GiB,ram:64GiB``.

    Each device is ``KIND:FREE[/TOTAL][@GB/s]``. ``gpu`` is one of any make, ``cuda`` one with NVIDIA's
    padding and context. Without ``ram`` there is as much as anybody could want.

    Raises:
        DevicesError: It says something else.
    """
    gpus: list[DeviceSpec] = []
    ram: DeviceSpec | None = None
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        kind, free, total, speed = _parse(part)
        if kind is DeviceKind.RAM:
            ram = DeviceSpec(name=RAM, kind=kind, total_bytes=total, free_bytes=free, bandwidth=speed)
        else:
            name = f"gpu{len(gpus)}"
            gpus.append(DeviceSpec(name=name, kind=kind, total_bytes=total, free_bytes=free, bandwidth=speed))
    endless = DeviceSpec(name=RAM, kind=DeviceKind.RAM, total_bytes=1 << 50, free_bytes=1 << 50)
    return Machine(tuple(gpus), ram or endless)


def _parse(part: str) -> tuple[DeviceKind, int, int, float]:
    found = _DEVICE.fullmatch(part)
    if found is None:
        raise DevicesError(
            Problem(
                code=ProblemCode.BAD_REQUEST,
                what=f"“{part}” does not describe a device.",
                remedy="Write them as gpu:24GiB,gpu:24GiB,ram:64GiB.",
            )
        )
    free = _bytes(found["free"], found["unit"])
    total = _bytes(found["total"], found["total_unit"]) if found["total"] else free
    return DeviceKind(found["kind"].lower()), free, max(free, total), float(found["speed"] or 0) * 1e9


def _bytes(amount: str, unit: str | None) -> int:
    return int(float(amount) * (1 << _UNITS[(unit or "")[:1].upper()]))


def read_machine(kinds: Collection[DeviceKind], ram_bandwidth: float = 0.0) -> Machine:
    """Look at this machine's devices as they are now: what others use is not free.

    Args:
        kinds: The GPUs that the inference library in use was built for.
        ram_bandwidth: What was measured, in bytes per second.
    """
    gpus: list[DeviceSpec] = []
    if kinds:
        gpus = [*nvidia_gpus(DeviceKind.CUDA if DeviceKind.CUDA in kinds else DeviceKind.GPU)]
        if not gpus and DeviceKind.GPU in kinds:
            gpus = [*amd_gpus()]
    return Machine(tuple(gpus), read_ram(ram_bandwidth))


def read_ram(bandwidth: float = 0.0) -> DeviceSpec:
    """What is available of RAM, within the limits of the control groups that we are in."""
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    limit = memory_limit()
    if limit is not None:
        total, free = min(total, limit[0]), min(free, limit[1])
    return DeviceSpec(name=RAM, kind=DeviceKind.RAM, total_bytes=total, free_bytes=free, bandwidth=bandwidth)
