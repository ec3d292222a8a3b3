"""What a model takes, per device, by arithmetic alone: microseconds, and exact where `Profile.certain`.

Layers go to devices as in ``llama_model::load_tensors``; compute buffers follow a formula that holds for
dense models with flash attention on one device, and is an estimate elsewhere.
"""

from __future__ import annotations

import bisect
import itertools
import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from tui_chat.memory.profile import CUDA_ALIGNMENT, CUDA_ROW, Profile, Weights
from tui_chat.memory.sharing import sequences
from tui_chat.wire.plan import DeviceKind, KvType, LoadOptions, Plan

_F32 = struct.Struct("f")

CELLS = 256
"""llama.cpp pads a context to a multiple of this many cells."""
KV_LAYOUT = {
    KvType.F32: (1, 4),
    KvType.F16: (1, 2),
    KvType.BF16: (1, 2),
    KvType.Q8_0: (32, 34),
    KvType.Q5_1: (32, 24),
    KvType.Q5_0: (32, 22),
    KvType.Q4_1: (32, 20),
    KvType.Q4_0: (32, 18),
    KvType.IQ4_NL: (32, 18),
}
"""Elements of a block, and its bytes."""
_ROTATED = 64
"""Heads of a multiple of this size are rotated for a quantised cache (``llama_kv_cache``)."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One device's part in bytes; `layers` counts repeating layers, `repacked` is a part of `weights`."""

    layers: int = 0
    weights: int = 0
    kv: int = 0
    compute: int = 0
    repacked: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.compute


def forecast(profile: Profile, options: LoadOptions, gpus: Sequence[DeviceKind]) -> tuple[Share, ...]:
    """Forecast the shares of `gpus`, in their order, and of RAM, which comes last."""
    ram = len(gpus)
    runs = place_layers(profile.layer_count, options, ram)
    places = [run.device for run in runs for _ in range(run.first, run.last)]
    weights = [0] * (ram + 1)
    kv = [0] * (ram + 1)
    layers = [0] * (ram + 1)
    repacked = 0
    repacks = DeviceKind.CUDA not in gpus  # beside CUDA, llama.cpp keeps weights in RAM as they are

    def put(device: int, size: Weights) -> None:
        nonlocal repacked
        weights[device] += size.cuda if _is_cuda(gpus, device) else size.plain
        if device == ram and repacks:
            repacked += size.repacked

    for index, (layer, device) in enumerate(zip(profile.layers, places[:-1], strict=True)):
        put(device, layer.dense)
        put(ram if index < options.cpu_experts else device, layer.experts)
        kv[device] += kv_bytes(profile, options, index, cuda=_is_cuda(gpus, device))
        layers[device] += 1
    put(ram, profile.input)
    put(places[-1], profile.output)
    if places[-1] != ram or (repacks and profile.tied.repacked):
        put(places[-1], profile.tied)  # one tensor cannot lie in two kinds of memory
    for device in {places[layer] for layer in range(profile.layer_count) if _turns(profile, layer)}:
        put(device, profile.everywhere)
    compute = compute_bytes(profile, options, runs, gpus)
    shares = zip(layers, weights, kv, compute, [*[0] * ram, repacked], strict=True)
    return tuple(Share(layers=n, weights=w, kv=k, compute=c, repacked=r) for n, w, k, c, r in shares)


def resized(plan: Plan, profile: Profile, now: LoadOptions, options: LoadOptions) -> Plan:
    """The plan of a model in memory after its context was made anew with `options`; weights stay."""
    kinds = [use.kind for use in plan.devices[:-1]]
    before, after = forecast(profile, now, kinds), forecast(profile, options, kinds)
    devices = tuple(
        msgspec.structs.replace(
            use,
            kv_bytes=max(0, use.kv_bytes + a.kv - b.kv),
            compute_bytes=max(0, use.compute_bytes + a.compute - b.compute),
        )
        for use, b, a in zip(plan.devices, before, after, strict=True)
    )
    anonymous = plan.anonymous_bytes + devices[-1].total_bytes - plan.devices[-1].total_bytes
    return msgspec.structs.replace(plan, options=options, devices=devices, anonymous_bytes=anonymous)


def _is_cuda(gpus: Sequence[DeviceKind], device: int) -> bool:
    return device < len(gpus) and gpus[device] is DeviceKind.CUDA


def _turns(profile: Profile, layer: int) -> bool:
    """Whether `layer` uses the rotation factors; gemma 4 has them for the layers without a window only."""
    return profile.architecture != "gemma4" or not profile.caches.layers[layer].windowed


class Run(NamedTuple):
    """The layers `first` up to `last` (not included) on one device; the output counts as one more layer."""

    device: int
    first: int
    last: int


def place_layers(layers: int, options: LoadOptions, gpus: int) -> list[Run]:
    """Which layers go to which device: a GPU's place in the order, or `gpus` for RAM. None is empty."""
    offloaded = min(options.gpu_layers, layers + 1) if gpus else 0
    start = layers + 1 - offloaded
    runs = [Run(gpus, 0, start)]
    split = (*options.split, *[0.0] * gpus)[:gpus] if any(options.split) else (1.0,) * gpus
    first = start
    for gpu, bound in enumerate(itertools.accumulate(split)):
        share = _single(bound / sum(split))
        # llama.cpp compares in single precision, and a layer exactly on a bound belongs to the next device.
        last = start + bisect.bisect_left(range(offloaded), share, key=lambda at: _single(at / offloaded))
        runs.append(Run(gpu, first, last))
        first = last
    return [run for run in runs if run.last > run.first]


def _single(value: float) -> float:
    """Round to a 32-bit float."""
    return float(_F32.unpack(_F32.pack(value))[0])


def cells(profile: Profile, options: LoadOptions, *, windowed: bool) -> int:
    """Cells of one layer's cache: ``llama_kv_cache_iswa``, one buffer for all sequences."""
    whole = _pad(options.context)
    if not windowed:
        return whole
    return _pad(min(whole, profile.caches.window * options.sequences + options.ubatch))


def kv_bytes(profile: Profile, options: LoadOptions, layer: int, *, cuda: bool = False) -> int:
    """Bytes that one layer keeps of conversations: its cells and its recurrent states."""
    cache = profile.caches.layers[layer]
    block, size = KV_LAYOUT[options.kv_type]
    count = cells(profile, options, windowed=cache.windowed)
    total = cache.state * max(1, options.sequences)
    for elements in (cache.keys, cache.values):
        total += elements // block * size * count
        if cuda and block > 1 and elements % CUDA_ROW:
            padding = (CUDA_ROW - elements % CUDA_ROW) // block * size
            total += -(-padding // CUDA_ALIGNMENT) * CUDA_ALIGNMENT
    return total


def compute_bytes(
    profile: Profile, options: LoadOptions, runs: Sequence[Run], gpus: Sequence[DeviceKind]
) -> list[int]:
    """Bytes of each device's compute buffer, RAM's last."""
    used = {run.device for run in runs}
    sizes = [compute_sizes(profile, options, cuda=_is_cuda(gpus, gpu))[0] for gpu in range(len(gpus))]
    in_ram = compute_sizes(profile, options)[0 if len(gpus) in used else 1]
    return [*(size if gpu in used else 0 for gpu, size in enumerate(sizes)), in_ram]


def compute_sizes(profile: Profile, options: LoadOptions, *, cuda: bool = False) -> tuple[int, int]:
    """Bytes of the compute buffer of a device with layers, and of RAM when it has none.

    For attention without a score matrix (flash attention).
    """
    batch = min(options.ubatch, _pad(options.context))
    width = 3 * profile.feed_forward + 3 * profile.embedding + _queries(profile, options)
    mask = _pad(options.context) * batch * 2
    if profile.caches.window:
        mask += cells(profile, options, windowed=True) * batch * 2
    count = sequences(options, branches=profile.caches.branches)
    logits = count * 4 * (profile.vocabulary + 2 * profile.embedding)
    copies = _copies(profile, options, cuda=cuda)
    attention = batch * 4 * _beside_copies(profile, options) + copies if copies else 0
    return max(batch * 4 * width, attention, logits) + mask, batch * 4 * 2 * profile.embedding + mask


def _copies(profile: Profile, options: LoadOptions, *, cuda: bool) -> int:
    """Bytes of f16 copies of one layer's keys and values: of f32 everywhere, of other types by CUDA."""
    if options.kv_type is KvType.F16 or not (cuda or options.kv_type is KvType.F32):
        return 0
    caches = {(cache.keys + cache.values, cache.windowed) for cache in profile.caches.layers}
    return max((2 * n * cells(profile, options, windowed=windowed) for n, windowed in caches), default=0)


def _beside_copies(profile: Profile, options: LoadOptions) -> int:
    """Numbers per token that are held while attention has its copies, as llama.cpp lays them out."""
    rotates = KV_LAYOUT[options.kv_type][0] > 1 and not profile.head_size % _ROTATED
    queries = 2 if rotates or options.kv_type is KvType.F32 else 3
    return 2 * profile.embedding + queries * profile.heads * profile.head_size


def _queries(profile: Profile, options: LoadOptions) -> int:
    """Numbers per token that attention holds while the feed-forward part runs.

    For a quantised cache llama.cpp rotates queries if the size of a head is a multiple of 64. Its allocator
    then reuses room of the same width as the embedding's, and keeps narrower queries twice.
    """
    width = profile.heads * profile.head_size
    block, _ = KV_LAYOUT[options.kv_type]
    if block == 1 or profile.head_size % _ROTATED:
        return width
    return 0 if width == profile.embedding else width * (2 if width < profile.embedding else 1)


def _pad(context: int) -> int:
    return -(-context // CELLS) * CELLS
