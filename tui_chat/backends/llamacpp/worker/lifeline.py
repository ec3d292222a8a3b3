"""Ties the worker's life to its engine's, and offers it to the kernel first when memory runs out."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def tie_to_parent(parent: int) -> None:
    """Have the kernel kill this process when process `parent` dies; leave at once if it already has.

    The socket's end says the same, but only to code that runs; this holds inside native code too.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def volunteer_for_oom() -> None:
    """Make this process the kernel's first choice: losing a model loses nothing that is not kept."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        return  # a container may forbid it; the worker is then merely one candidate among others
