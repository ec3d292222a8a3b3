"""The thread count is one that the process may really use."""

from __future__ import annotations

import os
import subprocess
import sys

from tui_chat.backends.llamacpp.worker.cores import usable_cores

SAY = "from tui_chat.backends.llamacpp.worker.cores import usable_cores; print(usable_cores())"


def test_cores_are_within_what_the_kernel_grants() -> None:
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


def test_affinity_is_respected() -> None:
    cpu = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(["taskset", "-c", cpu, sys.executable, "-c", SAY], capture_output=True, check=True)
    assert int(done.stdout) == 1
