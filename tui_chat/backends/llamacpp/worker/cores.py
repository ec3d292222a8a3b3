"""How many cores this process may really use, for llama.cpp's threads."""

from __future__ import annotations

import os
from pathlib import Path

from tui_chat.memory.cgroup import cgroup_folders

_CPUS = Path("/sys/devices/system/cpu")


def usable_cores() -> int:
    """Count physical cores among the CPUs of our affinity mask, within the cgroup's CPU quota.

    Two threads on one core's hyperthreads only wait for each other's vector unit, and threads above a
    quota make every barrier wait for a throttled one.
    """
    cores = len({_core(cpu) for cpu in os.sched_getaffinity(0)})
    quota = _quota()
    return max(1, cores if quota is None else min(cores, int(quota)))


def leaves_no_cpu(threads: int) -> bool:
    """Tell whether `threads` busy threads take every CPU we may use, hyperthreads included."""
    return threads >= len(os.sched_getaffinity(0))


def _core(cpu: int) -> str:
    """Name the physical core of `cpu` by the CPUs that share it."""
    try:
        return (_CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text(encoding="ascii")
    except OSError:
        return str(cpu)


def _quota() -> float | None:
    """The tightest CPU quota on our cgroup's way to the root, in cores; None without one."""
    quotas = [quota for folder in cgroup_folders("cpu") if (quota := _v2(folder) or _v1(folder))]
    return min(quotas, default=None)


def _v2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 else None
