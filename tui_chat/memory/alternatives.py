"""What could be asked for instead when a plan does not fit, and how that is said.

Each of these is planned by the same search as what was asked for: nothing here says that it fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tui_chat.memory.forecast import KV_LAYOUT
from tui_chat.memory.placement import Wish, takes_quantised
from tui_chat.memory.profile import Profile
from tui_chat.memory.wording import devices, tokens
from tui_chat.wire.plan import DeviceKind, KvType, Plan
from tui_chat.wire.words import rate

_UBATCH = 512


def one_thing_less(wish: Wish, profile: Profile) -> Iterator[Wish]:
    """Yield wishes that ask for one thing less than `wish`, what is felt least first."""
    thriftier = _thriftier(wish, profile)
    if KvType.Q8_0 in thriftier:
        yield replace(wish, kv_type=KvType.Q8_0)
    if wish.context is not None:
        yield replace(wish, context=None, desired=wish.context)
    if _fixes_places(wish):
        yield replace(wish, gpu_layers=None, split=None, cpu_experts=None)
    if wish.ubatch is not None:
        yield replace(wish, ubatch=None)
    if wish.sequences > 1:
        yield replace(wish, sequences=1)
    if KvType.Q4_0 in thriftier:
        yield replace(wish, kv_type=KvType.Q4_0)


def everything_less(wish: Wish, profile: Profile) -> Iterator[Wish]:
    """Yield wishes that leave everything to the search, for when one thing less is not enough."""
    free = Wish(
        strategy=wish.strategy,
        need=wish.need,
        desired=wish.context or wish.desired,
        keep_free=wish.keep_free,
        projector=wish.projector,
    )
    yield free
    if takes_quantised(profile):
        yield replace(free, kv_type=KvType.Q4_0)


def _thriftier(wish: Wish, profile: Profile) -> set[KvType]:
    """KV types that save something over what was asked for; left open, f16 and q8_0 have been tried."""
    if not takes_quantised(profile):
        return set()
    now = _bytes_per_element(wish.kv_type or KvType.Q8_0)
    return {kv_type for kv_type in (KvType.Q8_0, KvType.Q4_0) if _bytes_per_element(kv_type) < now}


def _bytes_per_element(kv_type: KvType) -> float:
    elements, size = KV_LAYOUT[kv_type]
    return size / elements


def _fixes_places(wish: Wish) -> bool:
    return any(fixed is not None for fixed in (wish.gpu_layers, wish.split, wish.cpu_experts))


def instead(wish: Wish, plan: Plan, correction: float = 1.0) -> str:
    """Say how `plan`, which fits, differs from what `wish` asks for, as in ``With 8k of context it fits.``.

    Args:
        wish: What did not fit.
        plan: For a wish that asks for less.
        correction: Between the speed that is predicted and the one that the model has here.
    """
    given_up = list(_given_up(wish, plan))
    *most, last = given_up or ["less"]
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"With {listed} it fits{speed(plan, correction)}."


def speed(plan: Plan, correction: float = 1.0) -> str:
    """Say how fast `plan` is expected to be: `` (about 21 tok/s)``; "" where nobody knows."""
    per_second = plan.tokens_per_second * correction
    return f" (about {rate(per_second)})" if per_second else ""


def _given_up(wish: Wish, plan: Plan) -> Iterator[str]:
    options = plan.options
    if options.context < (wish.context or wish.desired):
        yield f"{tokens(options.context)} of context"
    if options.kv_type is not (wish.kv_type or KvType.F16):
        yield f"a {options.kv_type} KV cache"
    on_gpus = [use for use in plan.devices if use.kind is not DeviceKind.RAM and use.layers]
    layers, offloaded = sum(use.layers for use in plan.devices), sum(use.layers for use in on_gpus)
    if len(plan.devices) > 1 and (offloaded < layers or _fixes_places(wish)):
        share = "all" if offloaded in (0, layers) else f"{offloaded} of {layers}"
        yield f"{share} layers {f'on {devices(on_gpus)}' if on_gpus else 'in RAM'}"
    if options.cpu_experts and options.cpu_experts != wish.cpu_experts:
        yield f"the experts of {options.cpu_experts} of {layers} layers in RAM"
    if options.ubatch != (wish.ubatch or _UBATCH):
        yield f"prompts read {options.ubatch} tokens at a time"
    if options.sequences != wish.sequences:
        yield "one sequence"
