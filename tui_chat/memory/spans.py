"""A profile's layers as running sums, so that any run of layers is priced in constant time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from tui_chat.memory.forecast import KV_LAYOUT, Share, cells, compute_bytes, place_layers
from tui_chat.memory.profile import Profile
from tui_chat.wire.plan import DeviceKind, LoadOptions


class Spans:
    """Prices runs of layers of one model. Bytes, padded for RAM; a search needs no closer."""

    def __init__(self, profile: Profile) -> None:
        caches = profile.caches.layers
        self.profile = profile
        self.dense = _running(layer.dense.plain for layer in profile.layers)
        self.experts = _running(layer.experts.plain for layer in profile.layers)
        self._full = _running((cache.keys + cache.values) * (not cache.windowed) for cache in caches)
        self._windowed = _running((cache.keys + cache.values) * cache.windowed for cache in caches)
        self._state = _running(cache.state for cache in caches)

    def weights(self, first: int, last: int, cpu_experts: int = 0) -> int:
        """Weights of the layers `first` up to `last`, without the experts of the first `cpu_experts`."""
        kept = max(first, min(cpu_experts, last))
        return self.dense[last] - self.dense[first] + self.experts[last] - self.experts[kept]

    def active(self, first: int, last: int, cpu_experts: int = 0) -> float:
        """Bytes of weights that one token touches in the layers `first` up to `last`, as for `weights`."""
        kept = max(first, min(cpu_experts, last))
        return self.dense[last] - self.dense[first] + self.active_experts(kept, last)

    def active_experts(self, first: int, last: int) -> float:
        """Bytes that one token touches of the experts of the layers `first` up to `last`."""
        return self._used * (self.experts[last] - self.experts[first])

    def kv(self, options: LoadOptions, first: int, last: int) -> int:
        """What the layers `first` up to `last` keep of conversations."""
        block, size = KV_LAYOUT[options.kv_type]
        full = self._full[last] - self._full[first]
        windowed = self._windowed[last] - self._windowed[first]
        total = full * cells(self.profile, options, windowed=False)
        if windowed:
            total += windowed * cells(self.profile, options, windowed=True)
        return total * size // block + (self._state[last] - self._state[first]) * max(1, options.sequences)

    def shares(self, options: LoadOptions, kinds: Sequence[DeviceKind]) -> tuple[Share, ...]:
        """Like `forecast`, with weights and caches as on any kind of device: for comparing candidates."""
        profile, layers, gpus = self.profile, self.profile.layer_count, len(kinds)
        runs = place_layers(layers, options, gpus)
        weights, kv, counts = [0] * (gpus + 1), [0] * (gpus + 1), [0] * (gpus + 1)
        for device, first, last in runs:
            end = min(last, layers)
            kept = options.cpu_experts if device < gpus else 0
            weights[device] += self.weights(first, end, kept) + profile.everywhere.plain * (end > first)
            weights[gpus] += self.experts[max(first, min(kept, end))] - self.experts[first]
            kv[device] += self.kv(options, first, end)
            counts[device] += end - first
            if last > layers:
                weights[device] += profile.output.plain + profile.tied.plain * (device < gpus)
        weights[gpus] += profile.input.plain
        compute = compute_bytes(profile, options, runs, kinds)
        return tuple(
            Share(layers=count, weights=weight, kv=cache, compute=buffer)
            for count, weight, cache, buffer in zip(counts, weights, kv, compute, strict=True)
        )

    @property
    def _used(self) -> float:
        profile = self.profile
        return profile.experts_used / profile.experts if profile.experts else 1.0


def _running(values: Iterable[int]) -> list[int]:
    return [0, *accumulate(values)]
