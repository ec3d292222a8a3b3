"""The processes that a process has started."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

PROC = Path("/proc")


def below(pid: int, proc: Path = PROC) -> list[int]:
    """The processes below one, as the kernel lists them, and where it does not, as psutil finds them.

    psutil, which runs elsewhere too, looks at every process there is: 30 ms where there are 1,000.
    """
    listed = _listed(pid, proc)
    if listed is not None:
        return listed
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def _listed(pid: int, proc: Path) -> list[int] | None:
    children: list[int] = []
    try:
        for thread in (proc / str(pid) / "task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    except OSError:
        return None
    return [each for child in children for each in (child, *(_listed(child, proc) or ()))]
