"""Says in one plain sentence how a model would be loaded, and why so and not otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tui_chat.memory.placement import Candidate, Search
from tui_chat.wire.plan import DeviceKind, DeviceUse, KvType
from tui_chat.wire.words import device, rate, size


def tokens(count: int) -> str:
    """Write a context's size for a person: ``32k`` where that is exact."""
    return f"{count // 1024}k" if count % 1024 == 0 else f"{count:,}"


def devices(uses: Sequence[DeviceUse]) -> str:
    """Name devices for a person, several with their layers: ``GPU 0 (20) and GPU 1 (12)``."""
    if len(uses) == 1:
        return device(uses[0].name)
    parts = [f"{device(use.name)} ({use.layers})" for use in uses]
    return ", ".join(parts[:-1]) + f" and {parts[-1]}"


def reason(search: Search, chosen: Candidate) -> str:
    """Explain `chosen`, which the `search` came to."""
    if not chosen.fits:
        return _refusal(search, chosen)
    where = _where(search, chosen)
    context = f"with {tokens(chosen.options.context)} of context"
    why = _why(search, chosen)
    speed = f", about {rate(1 / chosen.pace.seconds)}" if search.machine.measured else ""
    return f"{where} {context}{why}{speed}."


def verdict(search: Search, chosen: Candidate) -> str:
    """Say in a few words, for a list, whether and how `chosen` fits."""
    if not chosen.fits:
        return f"needs {size(chosen.missing)} more"
    layers = search.spans.profile.layer_count
    on_gpus = [use for use in chosen.uses if use.kind is not DeviceKind.RAM and use.layers]
    offloaded = sum(use.layers for use in on_gpus)
    if not offloaded:
        return "fits in RAM"
    speed = f", about {rate(1 / chosen.pace.seconds)}" if search.machine.measured else ""
    if offloaded < layers:
        return f"{offloaded} of {layers} layers on GPU{speed}"
    if chosen.options.cpu_experts:
        return f"fits with experts in RAM{speed}"
    return f"fits on {' and '.join(device(use.name) for use in on_gpus)}"


def _where(search: Search, chosen: Candidate) -> str:
    layers = search.spans.profile.layer_count
    on_gpus = [use for use in chosen.uses if use.kind is not DeviceKind.RAM and use.layers]
    offloaded = sum(use.layers for use in on_gpus)
    if not search.machine.gpus:
        return "All in RAM"
    if not on_gpus:
        return "All in RAM, none on a GPU,"
    if offloaded < layers:
        return f"{offloaded} of {layers} layers on {devices(on_gpus)}, the rest in RAM,"
    if chosen.options.cpu_experts:
        return (
            f"All layers on {devices(on_gpus)}, but the experts of {chosen.options.cpu_experts} of {layers} "
            "layers in RAM,"
        )
    return f"All layers on {devices(on_gpus)}"


def _why(search: Search, chosen: Candidate) -> str:
    """What was given up, and what for."""
    options, wish = chosen.options, search.wish
    given_up = []
    if options.kv_type is not (wish.kv_type or KvType.F16):
        plain = search.price(replace(options, kv_type=KvType.F16))
        given_up.append(f"a {options.kv_type} KV cache, which saves {size(_kv(plain) - _kv(chosen))}")
    if options.ubatch != (wish.ubatch or 512):
        given_up.append(f"prompts read {options.ubatch} tokens at a time")
    wished = search.contexts()[0]
    if options.context < wished:
        longer = search.price(replace(options, context=wished))
        if longer.missing:
            given_up.append(f"{tokens(wished)} would need {size(longer.missing)} more")
    if wish.gpu_layers is None and 0 < options.gpu_layers <= search.spans.profile.layer_count:
        whole = search.price(replace(options, gpu_layers=search.spans.profile.layer_count + 1))
        if whole.missing:
            given_up.append(f"all of them on GPUs would need {size(whole.missing)} more")
    return f" ({'; '.join(given_up)})" if given_up else ""


def _kv(candidate: Candidate) -> int:
    return sum(use.kv_bytes for use in candidate.uses)


def _refusal(search: Search, chosen: Candidate) -> str:
    short = max(
        zip(chosen.uses, search.machine.devices, strict=True),
        key=lambda pair: pair[0].total_bytes - pair[1].free_bytes,
    )
    use, spec = short
    where = "in RAM" if use.kind is DeviceKind.RAM else f"on {device(use.name)}"
    return (
        f"Needs {size(chosen.missing)} more: {size(use.total_bytes)} {where}, "
        f"where {size(spec.free_bytes)} are free, and some of that must stay so."
    )
