"""What was recorded of the machine while it wrote an answer, and why it was slower than usual if it was."""

from __future__ import annotations

import enum

import msgspec


class Cause(enum.StrEnum):
    """Why an answer may have come slowly, in a person's words."""

    HEAT = "a device slowed itself down because of heat"
    POWER = "a GPU was at its power limit"
    HARDWARE = "a GPU was slowed down by its hardware"
    LAYERS_ON_CPU = "fewer layers were on the GPU"
    BUSY_CPU = "other programs kept the processors busy"
    BUSY_GPU = "other programs used the GPU"
    LOW_CLOCK = "the processors ran at a lower clock"
    LONG_CONTEXT = "the conversation was longer"


class Slow(msgspec.Struct, frozen=True):
    """An answer was slower than those before it.

    Attributes:
        usual_tps: How fast the model usually writes, in tokens per second.
        causes: What is likely to have caused it, the likeliest first; empty if the record tells nothing.
    """

    usual_tps: float
    causes: tuple[Cause, ...] = ()


class Flight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The machine while one answer was written. What is None could not be read.

    Attributes:
        quant: The type of most of the model's weights.
        backend: Name and version of what computed; `version` is ours.
        context: Size of the context in tokens, with keys and values of `kv_type`.
        layers: How many the model has; `gpu_layers` of them were on GPUs.
        peak_ram_bytes: Most RAM that the model's process took, shared pages included.
        peak_vram_bytes: Most memory of GPUs that it took; None if it used none or no driver tells.
        cpu_c, gpu_c: How hot the processor, and the hottest GPU in use, became.
        power_w, energy_j: Mean power of the GPUs in use, and what they took; where there are none, of the
            processor package if it tells.
        stalled_ms: Time in which tokens stood still for much longer than from one to the next as a rule.
        throttled_ms: Time in which a GPU in use had lower clocks than it could, against anybody's wish.
        other_cpu: Share of all processors that other programs took.
        other_vram_bytes: Most memory that other programs took of the GPUs in use.
        cpu_mhz: Mean clock of the processors.
        slow: That it was slower than usual, and why.
    """

    quant: str = ""
    backend: str = ""
    version: str = ""
    context: int = 0
    kv_type: str = ""
    layers: int = 0
    gpu_layers: int = 0
    peak_ram_bytes: int | None = None
    peak_vram_bytes: int | None = None
    cpu_c: float | None = None
    gpu_c: float | None = None
    power_w: float | None = None
    energy_j: float | None = None
    stalled_ms: float = 0.0
    throttled_ms: float = 0.0
    throttled_by: tuple[Cause, ...] = ()
    other_cpu: float | None = None
    other_vram_bytes: int | None = None
    cpu_mhz: int | None = None
    slow: Slow | None = None
