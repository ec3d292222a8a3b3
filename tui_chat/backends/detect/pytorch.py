"""Bare PyTorch processes that hold memory of a GPU: seen, as they take room, but nothing to talk to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tui_chat.backends.detect.commands import short
from tui_chat.backends.detect.found import Found
from tui_chat.wire.servers import ServerKind
from tui_chat.wire.telemetry import GpuSample

_PROC = Path("/proc")
_LIBRARY = b"/libtorch"


def held(gpus: Sequence[GpuSample]) -> dict[int, int]:
    """What each process holds of all GPUs together, in bytes."""
    taken: dict[int, int] = {}
    for gpu in gpus:
        for each in gpu.processes or ():
            taken[each.pid] = taken.get(each.pid, 0) + (each.used_bytes or 0)
    return taken


def torch_processes(
    taken: Mapping[int, int],
    others: Collection[int],
    commands: Mapping[int, Sequence[str]],
    proc: Path = _PROC,
) -> list[Found]:
    """Find them among those that hold memory of a GPU.

    Args:
        taken: Bytes that each process holds.
        others: Processes that are something else: ours, and those of servers.
        commands: How each process was started.
        proc: Where the kernel tells what a process has mapped, of those that belong to us.
    """
    return [
        Found(
            name=f"{short(commands[pid])} (pid {pid})",
            kind=ServerKind.PYTORCH,
            pid=pid,
            memory_bytes=taken[pid],
            command=short(commands[pid]),
        )
        for pid in sorted(taken)
        if pid in commands and pid not in others and _maps_torch(proc / str(pid) / "maps")
    ]


def _maps_torch(maps: Path) -> bool:
    with suppress(OSError), maps.open("rb") as lines:
        return any(_LIBRARY in line for line in lines)
    return False
