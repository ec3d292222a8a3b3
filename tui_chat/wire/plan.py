"""How a model is to be loaded, and what that costs: the words of every plan, on every side of the wire."""

from __future__ import annotations

import enum

import msgspec


class KvType(enum.StrEnum):
    """The type of the elements in the KV cache, of keys and values alike."""

    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"
    IQ4_NL = "iq4_nl"


class Strategy(enum.StrEnum):
    """What a plan strives for when there is a choice."""

    MAX_PERFORMANCE = "max-performance"
    FIT_VRAM = "fit-vram"
    BALANCED = "balanced"
    POWER_EFFICIENT = "power-efficient"
    MAX_CONTEXT = "max-context"


ALL_LAYERS = 9999
"""As `LoadOptions.gpu_layers`: more than any model has."""


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that decides how much memory a model takes, and where.

    Attributes:
        context: Size of the context in tokens.
        kv_type: Of the KV cache.
        ubatch: Tokens evaluated at once.
        gpu_layers: How many of the last layers live on GPUs; one more than there are puts the output
            layer there too.
        split: Share of those layers per GPU, in the order of the GPUs; empty for one GPU or none.
        cpu_experts: Of how many layers, counted from the first, the experts stay in RAM.
        sequences: How many sequences the context can hold side by side.
    """

    context: int
    kv_type: KvType = KvType.F16
    ubatch: int = 512
    gpu_layers: int = 0
    split: tuple[float, ...] = ()
    cpu_experts: int = 0
    sequences: int = 1


class DeviceKind(enum.StrEnum):
    """What memory a device has: the machine's RAM, a GPU of any make, or one driven by CUDA."""

    RAM = "ram"
    GPU = "gpu"
    CUDA = "cuda"


class DeviceSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device to plan for, here or elsewhere. Sizes in bytes.

    Attributes:
        free_bytes: What may be used now, others' use and our own residents' taken off.
        bandwidth: Bytes per second that its memory delivers; 0 where nobody measured it.
    """

    name: str
    kind: DeviceKind
    total_bytes: int
    free_bytes: int
    bandwidth: float = 0.0
