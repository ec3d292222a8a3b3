"""What a person chooses in a row: how much context, and of which type the KV cache is."""

from __future__ import annotations

from itertools import takewhile

import msgspec

from tui_chat.wire.plan import KvType

SMALLEST = 2048
"""The lowest rung of the ladder of contexts, in tokens, unless the model was trained for less."""
LARGEST_UNTOLD = 131_072
"""The highest one for a model that does not say what it was trained for."""

KV_LADDER = (KvType.Q4_0, KvType.Q5_1, KvType.Q8_0, KvType.F16)
"""From the thriftiest to the most exact; the rest of the types save nothing over one of these."""


class Choice(msgspec.Struct, frozen=True):
    """What was chosen; None leaves it to the plan."""

    context: int | None = None
    kv_type: KvType | None = None


def contexts(trained: int) -> tuple[int, ...]:
    """The ladder of contexts for a model trained with `trained` tokens (0: unknown), smallest first."""
    top = trained or LARGEST_UNTOLD
    doubled = takewhile(lambda rung: rung < top, (SMALLEST << power for power in range(32)))
    return (*doubled, top)


def step_context(now: int, trained: int, by: int) -> int:
    """The next rung above (`by` 1) or below (-1) `now`; at the end of the ladder, `now` stays."""
    ladder = contexts(trained)
    if by > 0:
        return next((rung for rung in ladder if rung > now), now)
    return next((rung for rung in reversed(ladder) if rung < now), now)


def step_kv(now: KvType, by: int) -> KvType:
    """The KV type that is more exact (`by` 1) or thriftier (-1) than `now`."""
    if now not in KV_LADDER:
        return KvType.F16
    at = KV_LADDER.index(now) + by
    return KV_LADDER[min(max(at, 0), len(KV_LADDER) - 1)]
