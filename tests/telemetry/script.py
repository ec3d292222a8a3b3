"""What the fake driver is to say (see fake_nvml.c)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
