"""Which processes on a GPU are our workers, also where the driver counts processes of another namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tui_chat.wire.telemetry import GpuProcess, GpuSample

_PROC = Path("/proc")
_OFF = 0.1
"""How far the memory of a process may be off what its worker was planned to take; see `_like`."""
_CONTEXT_BYTES = 768 << 20
"""What a driver takes for a process beyond its own buffers, at most: CUDA's context and modules."""


class Worker(msgspec.Struct, frozen=True):
    """One of our processes.

    Attributes:
        pid: As we know it.
        model: The id of its model.
        planned: What it was planned to take of each GPU, in bytes, by the GPU's number.
    """

    pid: int
    model: str
    planned: Mapping[int, int]


def named(gpus: Sequence[GpuSample], workers: Sequence[Worker], proc: Path = _PROC) -> tuple[GpuSample, ...]:
    """Say of each process what it is called, or which of our models it is."""
    known = {pid: worker for worker in workers for pid in (worker.pid, *_elsewhere(worker.pid, proc))}
    return tuple(
        gpu
        if gpu.processes is None
        else msgspec.structs.replace(gpu, processes=_named(gpu, gpu.processes, known, workers, proc))
        for gpu in gpus
    )


def _named(
    gpu: GpuSample,
    processes: Sequence[GpuProcess],
    known: Mapping[int, Worker],
    workers: Sequence[Worker],
    proc: Path,
) -> tuple[GpuProcess, ...]:
    there = {each.pid for each in processes}
    missing = [
        w for w in workers if w.planned.get(gpu.index) and not there & {p for p, k in known.items() if k is w}
    ]
    found = []
    for each in processes:
        worker, name = known.get(each.pid), _name(each.pid, proc)
        if worker is None and not name:  # outside of the container that we are in
            alike = [other for other in missing if _like(each.used_bytes, other.planned[gpu.index])]
            if len(alike) == 1:
                (worker,) = alike
                missing.remove(worker)
        found.append(GpuProcess(each.pid, each.used_bytes, worker.model if worker else None, name))
    return tuple(found)


def _elsewhere(pid: int, proc: Path) -> tuple[int, ...]:
    """The numbers of a process in the namespaces below ours, in one of which the driver may count."""
    with suppress(OSError, ValueError):
        for line in (proc / str(pid) / "status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("NSpid:"):
                return tuple(int(number) for number in line.split()[1:])
    return ()


def _name(pid: int, proc: Path) -> str:
    with suppress(OSError):
        return (proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    return ""


def _like(used: int | None, planned: int) -> bool:
    """Whether a process that takes so much may be a worker that was planned with so much."""
    return used is not None and planned * (1 - _OFF) <= used <= planned * (1 + _OFF) + _CONTEXT_BYTES
