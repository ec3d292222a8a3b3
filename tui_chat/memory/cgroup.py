"""The control groups that this process is in, which may give it less of the machine than there is."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60
"""Bytes; version 1 says "no limit" with a number about as large."""


def cgroup_folders(controller: str) -> list[Path]:
    """List the folders of our groups for `controller`, such as ``cpu``, up to the root."""
    folders = [_ROOT, _ROOT / controller]
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return folders
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _ROOT / controller if controllers else _ROOT
        folder = root / group.lstrip("/")
        folders += [folder, *(parent for parent in folder.parents if parent.is_relative_to(root))]
    return folders


def memory_limit() -> tuple[int, int] | None:
    """The tightest memory limit of our groups, and how much of it is left; None without one. Bytes.

    Pages of files that could be dropped count as left, as they do in the machine's own figure.
    """
    limits = [limit for folder in cgroup_folders("memory") if (limit := _v2(folder) or _v1(folder))]
    return min(limits, key=lambda limit: limit[1], default=None)


def _v2(folder: Path) -> tuple[int, int] | None:
    return _limit(folder, "memory.max", "memory.current", "inactive_file", "active_file")


def _v1(folder: Path) -> tuple[int, int] | None:
    names = ("total_inactive_file", "total_active_file")
    return _limit(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", *names)


def _limit(folder: Path, limit_file: str, usage_file: str, *droppable: str) -> tuple[int, int] | None:
    try:
        limit = int((folder / limit_file).read_text(encoding="ascii"))
        usage = int((folder / usage_file).read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None  # not there, or "max"
    if limit >= _UNLIMITED:
        return None
    numbers = dict(line.split(maxsplit=1) for line in lines if " " in line)
    kept = usage - sum(int(numbers.get(name, 0)) for name in droppable)
    return limit, max(0, limit - max(0, kept))
