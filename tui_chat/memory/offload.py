"""How many layers go to which GPU: the fullest that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tui_chat.memory.forecast import compute_sizes
from tui_chat.memory.machine import Machine, bandwidth, margin, overhead
from tui_chat.memory.spans import Spans
from tui_chat.wire.plan import DeviceKind, DeviceSpec, LoadOptions

_STEPS = 12
"""Of halving the share to which every GPU is filled: to 1/4096."""


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes for layers on each GPU, when everything else that comes with them is taken off."""

    per_gpu: tuple[int, ...]


def layouts(spans: Spans, options: LoadOptions, machine: Machine, keep_free: int) -> Iterator[LoadOptions]:
    """Yield `options` with every division of the layers that is worth pricing.

    One GPU for everything; else all GPUs, filled to the same share; else the experts of as few layers as
    possible in RAM; else as many layers on the GPUs as fit; and always everything in RAM.

    Args:
        spans: The model.
        options: What is decided already.
        machine: The devices.
        keep_free: Bytes to leave free on each GPU, at least.
    """
    layers = spans.profile.layer_count
    room = _room(spans, options, machine.gpus, keep_free)
    whole = _whole(spans, options, machine.gpus, room)
    if whole is not None:
        yield whole
    elif machine.gpus:
        if spans.profile.experts:
            yield from _with_experts_in_ram(spans, options, room)
        count = _most(lambda offloaded: _fill(spans, options, room, offloaded) is not None, layers + 1)
        counts = _fill(spans, options, room, count) if count else None
        if counts is not None:
            yield _offloaded(options, counts)
    yield _offloaded(options, (0,) * len(machine.gpus))


def _room(spans: Spans, options: LoadOptions, gpus: Sequence[DeviceSpec], keep_free: int) -> Room:
    def left(gpu: DeviceSpec) -> int:
        working, _ = compute_sizes(spans.profile, options, cuda=gpu.kind is DeviceKind.CUDA)
        fixed = working + spans.profile.everywhere.plain + overhead(spans.profile, gpu, used=True)
        return gpu.free_bytes - max(keep_free, margin(gpu)) - fixed

    return Room(tuple(map(left, gpus)))


def _whole(spans: Spans, options: LoadOptions, gpus: Sequence[DeviceSpec], room: Room) -> LoadOptions | None:
    """Everything on the fastest single GPU that can take it, or spread over all."""
    everything = spans.profile.layer_count + 1
    order = sorted(range(len(gpus)), key=lambda gpu: (-bandwidth(gpus[gpu]), -gpus[gpu].free_bytes))
    for gpu in order:
        alone = Room(tuple(free if index == gpu else 0 for index, free in enumerate(room.per_gpu)))
        counts = _fill(spans, options, alone, everything)
        if counts is not None:
            return _offloaded(options, counts)
    if len(gpus) < 2 or _fill(spans, options, room, everything) is None:
        return None
    low, high = 0, 1 << _STEPS
    while high - low > 1:
        middle = (low + high) // 2
        if _fill(spans, options, _share(room, middle), everything) is None:
            low = middle
        else:
            high = middle
    counts = _fill(spans, options, _share(room, high), everything)
    return None if counts is None else _offloaded(options, counts)


def _share(room: Room, parts: int) -> Room:
    return Room(tuple(free * parts >> _STEPS for free in room.per_gpu))


def _with_experts_in_ram(spans: Spans, options: LoadOptions, room: Room) -> Iterator[LoadOptions]:
    layers = spans.profile.layer_count

    def fits(on_gpu: int) -> bool:
        reduced = msgspec.structs.replace(options, cpu_experts=layers - on_gpu)
        return _fill(spans, reduced, room, layers + 1) is not None

    if not fits(0):
        return
    reduced = msgspec.structs.replace(options, cpu_experts=layers - _most(fits, layers))
    counts = _fill(spans, reduced, room, layers + 1)
    if counts is not None:
        yield _offloaded(reduced, counts)


def _most(fits: Callable[[int], bool], limit: int) -> int:
    """The largest number up to `limit` that `fits`, when all smaller ones do; 0 is taken for granted."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _fill(spans: Spans, options: LoadOptions, room: Room, offloaded: int) -> tuple[int, ...] | None:
    """Put the last `offloaded` layers, the output among them, on the GPUs in order; None if they do not fit.

    Returns:
        How many each GPU gets.
    """
    layers = spans.profile.layer_count
    output = spans.profile.output.plain + spans.profile.tied.plain
    at = layers + 1 - offloaded
    counts = [0] * len(room.per_gpu)
    for gpu, free in enumerate(room.per_gpu):
        end = _reach(spans, options, at, free)
        counts[gpu] = end - at
        if end == layers and _price(spans, options, at, end) + output <= free:
            counts[gpu] += 1
            return tuple(counts)
        at = end
    return None


def _reach(spans: Spans, options: LoadOptions, at: int, free: int) -> int:
    """How far layers from `at` on fit into `free` bytes."""
    low, high = at, spans.profile.layer_count
    while low < high:
        middle = (low + high + 1) // 2
        if _price(spans, options, at, middle) <= free:
            low = middle
        else:
            high = middle - 1
    return low


def _price(spans: Spans, options: LoadOptions, first: int, last: int) -> int:
    return spans.weights(first, last, options.cpu_experts) + spans.kv(options, first, last)


def _offloaded(options: LoadOptions, counts: tuple[int, ...]) -> LoadOptions:
    split = tuple(map(float, counts)) if len(counts) > 1 and any(counts) else ()
    return msgspec.structs.replace(options, gpu_layers=sum(counts), split=split)
