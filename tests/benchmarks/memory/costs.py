"""What things take on the machine that traces are replayed on: the same for every policy.

Bytes come from our forecast, which is exact; times are plain divisions by the speeds below.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tests.benchmarks.memory.rivals import Shape, read_shape
from tui_chat.memory.forecast import Share, forecast
from tui_chat.memory.machine import CUDA_CONTEXT_BYTES, GIB, MERGE_BYTES, PROCESS_BYTES, TOKEN_BYTES
from tui_chat.memory.profile import Profile, read_profile
from tui_chat.wire.plan import ALL_LAYERS, DeviceKind, LoadOptions

COPY = 46e6 / 8e-3
"""Bytes per second of saving or restoring a KV cache: 46 MB in 8 ms, measured."""
RESIZE_S, END_S = 0.05, 0.2
"""To make a context of another size, and to end a process."""


@dataclass(frozen=True, eq=False)
class Computer:
    """A machine, with all that is loaded on its GPU, or all in RAM. Bytes, and bytes per second.

    Attributes:
        room: Memory for models.
        files: RAM that holds files that were read.
        flops: Operations per second that are reached while a prompt is read.
        start_s: A process, its libraries and devices, a first evaluation.
        disk_free: Of the disk, without what is parked there.
    """

    name: str
    kind: DeviceKind
    room: int
    files: int
    flops: float
    start_s: float = 0.6
    disk: float = 2.0e9
    page_cache: float = 8.0e9
    disk_free: int = 200 * GIB


COMPUTERS = (
    Computer("CPU, 16 GiB", DeviceKind.RAM, 16 * GIB, 16 * GIB, 0.5e12, start_s=0.3),
    Computer("GPU, 24 GiB", DeviceKind.CUDA, 24 * GIB, 48 * GIB, 60e12),
    Computer("GPU, 48 GiB", DeviceKind.CUDA, 48 * GIB, 96 * GIB, 60e12),
)


@dataclass(frozen=True, eq=False)
class Model:
    """A model on a computer."""

    name: str
    profile: Profile
    shape: Shape
    computer: Computer

    def needs(self, context: int) -> int:
        """Bytes of memory with all layers there."""
        return _needs(self, context)

    def kv(self, tokens: int) -> int:
        """Bytes that `tokens` of a conversation take when they are saved."""
        return _kv(self, tokens)

    def read_s(self, tokens: int) -> float:
        """Seconds to read `tokens` of a prompt."""
        profile = self.profile
        active = float(profile.parameters)
        if profile.experts:
            experts = sum(layer.experts.plain for layer in profile.layers) / profile.size_bytes
            active *= 1 - experts + experts * profile.experts_used / profile.experts
        return max(0, tokens) * 2 * active / self.computer.flops


def read_model(path: Path, computer: Computer) -> Model:
    """Read the model in `path`; a header is enough."""
    return Model(path.stem, read_profile([path]), read_shape(path), computer)


@lru_cache(maxsize=4096)
def _needs(model: Model, context: int) -> int:
    taken = _share(model, context).total
    if model.computer.kind is DeviceKind.CUDA:
        return taken + CUDA_CONTEXT_BYTES
    vocabulary = TOKEN_BYTES * model.profile.vocabulary + MERGE_BYTES * model.profile.merges
    return taken + PROCESS_BYTES + vocabulary


@lru_cache(maxsize=65536)
def _kv(model: Model, tokens: int) -> int:
    return _share(model, max(1, tokens)).kv


def _share(model: Model, context: int) -> Share:
    gpus = [] if model.computer.kind is DeviceKind.RAM else [model.computer.kind]
    return forecast(model.profile, LoadOptions(context=context, gpu_layers=ALL_LAYERS), gpus)[0]


@dataclass(slots=True)
class Files:
    """Which files are in RAM, the least lately read dropped first."""

    computer: Computer
    held: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def load_s(self, model: Model) -> float:
        """Seconds that a load would take now."""
        speed = self.computer.page_cache if model.name in self.held else self.computer.disk
        return self.computer.start_s + model.shape.file / speed

    def load(self, model: Model) -> float:
        """Load: the same seconds, and the file is in RAM then."""
        seconds = self.load_s(model)
        self.hold(model)
        return seconds

    def hold(self, model: Model) -> None:
        """Have the file in RAM, at the cost of others."""
        self.held[model.name] = model.shape.file
        self.held.move_to_end(model.name)
        while sum(self.held.values()) > self.computer.files:
            self.held.popitem(last=False)
