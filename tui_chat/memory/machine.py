"""The devices that a plan is for, what is free on them, and what a process costs there beside its model."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.memory.profile import Profile
from tui_chat.memory.sharing import BRANCHES, ENDINGS
from tui_chat.wire.plan import DeviceKind, DeviceSpec

MIB, GIB = 1 << 20, 1 << 30
LIBRARY_BYTES = 18 * MIB
"""A worker's share of the files of Python and llama.cpp: pages that all workers have in common."""
PROCESS_BYTES = LIBRARY_BYTES + 23 * MIB
"""A worker without its model; what is not its libraries is its own."""
TOKEN_BYTES, MERGE_BYTES = 160, 130
"""Per token and per merge of the vocabulary, in llama.cpp's tables."""
LOGIT_BYTES = 4
"""Per token of the vocabulary in each row of logits: llama.cpp has one per sequence."""
CUDA_CONTEXT_BYTES = 500 * MIB
"""What CUDA takes on a GPU for a process, before anybody asks for memory; learned per machine."""
GPU_MARGIN = 512 * MIB
RAM_MARGIN_LEAST, RAM_MARGIN_SHARE = GIB, 0.08
_USUAL_BANDWIDTH = {DeviceKind.RAM: 20e9, DeviceKind.GPU: 400e9, DeviceKind.CUDA: 400e9}
"""Bytes per second, only for choosing between devices that nobody measured."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where models can go. `gpus` are in llama.cpp's order."""

    gpus: tuple[DeviceSpec, ...]
    ram: DeviceSpec

    @property
    def devices(self) -> tuple[DeviceSpec, ...]:
        """The GPUs and, last, RAM."""
        return (*self.gpus, self.ram)

    @property
    def measured(self) -> bool:
        """Whether the speed of every device is known."""
        return all(device.bandwidth for device in self.devices)


def bandwidth(device: DeviceSpec) -> float:
    """Bytes per second that the device's memory delivers, or what is usual for its kind."""
    return device.bandwidth or _USUAL_BANDWIDTH[device.kind]


def overhead(profile: Profile, device: DeviceSpec, *, used: bool) -> int:
    """What a worker takes on `device` beside the model's buffers, if it is `used` at all."""
    if device.kind is DeviceKind.RAM:
        rows = ENDINGS + (BRANCHES if profile.caches.branches else 1)
        per_token = TOKEN_BYTES + LOGIT_BYTES * rows
        return PROCESS_BYTES + per_token * profile.vocabulary + MERGE_BYTES * profile.merges
    return CUDA_CONTEXT_BYTES if device.kind is DeviceKind.CUDA and used else 0


def margin(device: DeviceSpec) -> int:
    """What a plan leaves free on a device that others use too."""
    if device.kind is DeviceKind.RAM:
        return min(RAM_MARGIN_LEAST, int(device.total_bytes * RAM_MARGIN_SHARE))
    return min(GPU_MARGIN, device.total_bytes // 16)
