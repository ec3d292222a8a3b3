"""How fast a model decodes, and at what energy: the bytes a token touches, over the speed of their memory."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tui_chat.memory.forecast import place_layers
from tui_chat.memory.machine import Machine, bandwidth
from tui_chat.memory.spans import Spans
from tui_chat.wire.plan import DeviceKind, LoadOptions

_STEP_S = 50e-6
"""Per token and device: launching, synchronising, sampling."""
_ENERGY = {DeviceKind.RAM: 2e-9, DeviceKind.GPU: 0.4e-9, DeviceKind.CUDA: 0.4e-9}
"""Joules per byte moved: a desktop CPU's 80 W at 40 GB/s, a GPU's 350 W at 900 GB/s."""
_EACH_MORE_GPU = 0.15
"""Energy that each further GPU adds merely by being awake."""


class Pace(NamedTuple):
    """What one token takes."""

    seconds: float
    joules: float


def pace(spans: Spans, options: LoadOptions, machine: Machine, filled: int) -> Pace:
    """Estimate one token's cost with `filled` tokens in the context."""
    touched = touched_bytes(spans, options, len(machine.gpus), filled)
    used = [(device, count) for device, count in zip(machine.devices, touched, strict=True) if count]
    seconds = sum(_STEP_S + count / bandwidth(device) for device, count in used)
    joules = sum(_ENERGY[device.kind] * count for device, count in used)
    gpus = sum(device.kind is not DeviceKind.RAM for device, _ in used)
    return Pace(seconds, joules * (1 + _EACH_MORE_GPU * max(0, gpus - 1)))


def touched_bytes(spans: Spans, options: LoadOptions, gpus: int, filled: int) -> list[float]:
    """Bytes that one token reads on each GPU and, last, in RAM: active weights, and the cache so far."""
    layers = spans.profile.layer_count
    reading = msgspec.structs.replace(options, context=filled, sequences=1, ubatch=1)
    touched = [0.0] * (gpus + 1)
    for device, first, last in place_layers(layers, options, gpus):
        end = min(last, layers)
        kept = max(first, min(options.cpu_experts, end)) if device < gpus else first
        touched[device] += spans.active(first, end, kept) + spans.kv(reading, first, end)
        touched[gpus] += spans.active_experts(first, kept)
        if last > layers:
            touched[device] += (spans.profile.output + spans.profile.tied).plain
    return touched
