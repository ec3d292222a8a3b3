"""What the fake driver is to say (see fake_nvml.c), and how it is made."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("fake_nvml.c")

GB = 10**9

H200: dict[str, object] = {
    "uuid": "GPU-11111111-aaaa",
    "name": "NVIDIA H200",
    "memory": f"{22 * GB} {140 * GB}",
    "utilisation": "88 41",
    "temperature": 61,
    "slowdown": 92,
    "shutdown": 97,
    "power": 312_000,
    "limit": 700_000,
    "clock": 1410,
    "top_clock": 1980,
    "memory_clock": 2619,
    "throttled": "0x24",
}
"""One that is busy, drawing its power limit and warm; it has no fan, and says so by error 3."""


@dataclass
class Script:
    """A file that the driver reads at every call, replaced as a whole."""

    path: Path

    def play(self, *gpus: dict[str, object], **more: object) -> None:
        """Say this from now on, of these GPUs; a list is a line for each of its values."""
        facts: dict[str, object] = {"driver": "550.54.15", "count": len(gpus), **more}
        for number, gpu in enumerate(gpus):
            facts |= {f"gpu.{number}.{key}": value for key, value in gpu.items()}
        lines = [
            f"{key} {each}\n"
            for key, value in facts.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        new = self.path.with_suffix(".new")
        new.write_text("".join(lines))
        new.replace(self.path)


def make_driver(folder: Path, *, older: bool = False) -> None:
    """Compile the driver into `folder`; an `older` one lacks the calls that came with release 510."""
    compiler = next((found for name in ("cc", "gcc", "g++") if (found := shutil.which(name))), None)
    assert compiler is not None, "a C compiler is missing; .ci/run installs one"
    library = folder / "libnvidia-ml.so.1"
    release = f"-DRELEASE={2 if older else 3}"
    flags = ["-x", "c", "-Wall", "-Werror", "-shared", "-fPIC", release]
    subprocess.run([compiler, *flags, "-o", str(library), str(SOURCE)], check=True)


def leading_to(folder: Path, script: Script) -> dict[str, str]:
    """The environment in which programs find the driver in `folder`, and it finds its script."""
    libraries = f"{folder}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
    return {"FAKE_NVML": str(script.path), "LD_LIBRARY_PATH": libraries}
