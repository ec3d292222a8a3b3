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


class DeviceUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan takes of one device, in bytes.

    Attributes:
        layers: Repeating layers on it.
        overhead_bytes: What a process or a driver takes beside the model's own buffers, and a projector.
        free_bytes: What there was for us before.
        margin_bytes: What of that has to stay free.
        projector_bytes: Of the overhead, what lets the model see, with its buffers.
    """

    name: str
    kind: DeviceKind
    layers: int
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    overhead_bytes: int
    free_bytes: int
    margin_bytes: int = 0
    projector_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All that the plan takes here."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.overhead_bytes


class Source(enum.StrEnum):
    """Who says what a plan takes: the header's arithmetic, llama.cpp after laying it all out, or a server.

    What a server's models take is its own business; such a plan has no devices.
    """

    ARITHMETIC = "arithmetic"
    LLAMA_CPP = "llama.cpp"
    SERVER = "server"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a model would be loaded, what that takes, and why so.

    Attributes:
        fits: Whether there is room for it, margins included.
        shortfall_bytes: How much is missing where it does not fit.
        reason: One plain sentence for a person.
        devices: The GPUs in their order, then RAM.
        anonymous_bytes: RAM that cannot be dropped and read again.
        page_cache_bytes: RAM that the weights take as pages of their file.
        tokens_per_second: Expected while decoding, 0 where nothing is known of the memory's speed.
        verdict: A few words for a list, such as ``fits on GPU 0`` or ``needs 3.2 GiB more``.
        evicts: Ids of residents that have to go first.
        shrinks: Ids of idle residents whose contexts are made smaller first.
        alternatives: What else could be done when it does not fit, nearest first, as whole sentences.
        load_s: Seconds that loading is expected to take; 0 for a model in memory, None where it is unknown.
        read_s: Seconds that reading the conversation is expected to take, as for `load_s`.
        projector: Path of the file that is loaded too, so that the model can see; empty for none.
        blind: Why a projector that lies beside the model is left out.
    """

    model: str
    strategy: Strategy
    options: LoadOptions
    fits: bool
    reason: str
    devices: tuple[DeviceUse, ...]
    source: Source
    verdict: str = ""
    anonymous_bytes: int = 0
    page_cache_bytes: int = 0
    tokens_per_second: float = 0.0
    shortfall_bytes: int = 0
    evicts: tuple[str, ...] = ()
    shrinks: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    load_s: float | None = None
    read_s: float | None = None
    projector: str = ""
    blind: str = ""
