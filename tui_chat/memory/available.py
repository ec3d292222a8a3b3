"""How much RAM could be had now, quickly enough to be asked at every turn."""

from __future__ import annotations

from pathlib import Path

from tui_chat.memory.cgroup import memory_limit


def available_ram() -> int:
    """Bytes that the kernel could give, within the limits of our control groups; 0 where it does not say."""
    limit = memory_limit()
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
                return available if limit is None else min(available, limit[1])
    except (OSError, ValueError):
        return 0
    return 0
