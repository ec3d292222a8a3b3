"""Who computes on AMD's GPUs by ROCm, and how much VRAM each takes."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from tui_chat.telemetry.files import Files

KFD = Path("/sys/class/kfd/kfd")


class Kfd:
    """Reads what the kernel's driver for computing tells of all processes, to everybody.

    ``proc/PID/vram_GPU`` has the bytes that a process takes of a GPU, whose number there leads by
    ``topology/nodes/N`` to its place on the PCI bus. The process has its number outside of any container.
    """

    def __init__(self, root: Path = KFD) -> None:
        self._root = root
        self._places: dict[str, str] = {}

    def processes(self) -> dict[str, dict[int, int]] | None:
        """The bytes by the GPU's place and the process; None where the kernel does not tell.

        A place is that of `place`: a GPU that is divided into several has one for all of them.
        """
        taken: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        try:
            folders = [folder for folder in (self._root / "proc").iterdir() if folder.name.isdigit()]
        except OSError:
            return None
        for file in (file for folder in folders for file in folder.glob("vram_*")):
            with suppress(OSError, ValueError):  # the process may have ended meanwhile
                if used := int(file.read_text(encoding="ascii")):
                    gpu = file.name.removeprefix("vram_")
                    taken[self._place(gpu)][int(file.parent.name)] += used
        return {place: dict(processes) for place, processes in taken.items()}

    def _place(self, gpu: str) -> str:
        if gpu not in self._places:
            self._places |= {gpu: ""} | _places(self._root / "topology/nodes")
        return self._places[gpu]


def place(slot: str) -> str:
    """Where on the PCI bus a device is, without its function: parts of a GPU differ in nothing else."""
    return slot.rpartition(".")[0]


def _places(nodes: Path) -> dict[str, str]:
    """The places of GPUs by their numbers; a processor has number 0."""
    found = {}
    for node in (Files(folder) for folder in nodes.glob("*")):
        told = dict(line.partition(" ")[::2] for line in node.text("properties").splitlines())
        with suppress(ValueError):
            # As the kernel's pci_dev_id() has it: bus, device and function in 8, 5 and 3 bits.
            location, domain = int(told.get("location_id", "")), int(told.get("domain", "0"))
            bus, device = location >> 8 & 0xFF, location >> 3 & 0x1F
            found[node.text("gpu_id")] = f"{domain:04x}:{bus:02x}:{device:02x}"
    return found
