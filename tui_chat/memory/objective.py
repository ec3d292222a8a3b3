"""What each strategy strives for: one sum of named costs, smaller is better."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui_chat.wire.plan import KvType, Strategy

_KV_LOSS = {
    KvType.F32: 0.0,
    KvType.F16: 0.0,
    KvType.BF16: 0.0,
    KvType.Q8_0: 0.15,
    KvType.Q5_1: 0.5,
    KvType.Q5_0: 0.5,
    KvType.Q4_1: 0.8,
    KvType.Q4_0: 0.8,
    KvType.IQ4_NL: 0.8,
}
"""How bad a KV type is for the answers: q8_0 is hardly to be told from f16, four bits are."""
_UBATCH = 512


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a way to load a model comes to, as far as people care.

    Attributes:
        slowdown: Time per token over that of the fastest way there is.
        energy: Energy per token over that of the thriftiest way there is.
        shortage: How many times the context falls short of what is wished for; 1 where it does not.
        evictions: Seconds that it will cost to bring back what has to go first.
    """

    slowdown: float
    energy: float
    shortage: float
    kv_type: KvType
    ubatch: int
    evictions: float = 0.0


@dataclass(frozen=True, slots=True)
class Objective:
    """The weights of the costs. One unit of `slowdown`, `energy` and `shortage` is a factor of two."""

    slowdown: float
    shortage: float
    energy: float = 0.0
    kv: float = 1.0
    ubatch: float = 0.1
    evictions: float = 0.05

    def cost(self, outcome: Outcome) -> float:
        """Sum up."""
        return (
            self.slowdown * math.log2(max(1.0, outcome.slowdown))
            + self.energy * math.log2(max(1.0, outcome.energy))
            + self.shortage * math.log2(max(1.0, outcome.shortage))
            + self.kv * _KV_LOSS[outcome.kv_type]
            + self.ubatch * math.log2(max(1.0, _UBATCH / outcome.ubatch))
            + self.evictions * outcome.evictions
        )


OBJECTIVES = {
    Strategy.MAX_PERFORMANCE: Objective(slowdown=8.0, shortage=0.25, kv=0.5),
    Strategy.FIT_VRAM: Objective(slowdown=1.0, shortage=0.5),
    Strategy.BALANCED: Objective(slowdown=1.0, shortage=0.5),
    Strategy.POWER_EFFICIENT: Objective(slowdown=0.1, shortage=0.1, energy=2.0),
    Strategy.MAX_CONTEXT: Objective(slowdown=0.25, shortage=4.0, kv=0.5),
}
"""`fit-vram` differs from `balanced` in how much it leaves free, not in what it prefers."""
