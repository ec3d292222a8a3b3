"""How much memory there is for a model that is not here yet, and what it takes beside its weights."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.memory.forecast import forecast
from tui_chat.memory.machine import GIB, Machine, overhead
from tui_chat.memory.profile import Profile
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.words import size

CONTEXT = 8192
"""Tokens that there should be room for."""

_KV_GIB = ((1.5e9, 0.9), (9e9, 1.2), (16e9, 1.6), (40e9, 2.1), (80e9, 2.6), (float("inf"), 3.2))
"""Up to so many parameters, so much for the KV cache of 8,192 tokens in f16: what grouped-query models of
that size commonly take, at the upper end. Only for models whose header could not be read."""
_OVERHEAD_GIB = 0.4
"""Compute buffers, vocabulary and the process itself."""
_SYSTEM = 2 * GIB
"""Left to everything else on the machine, or a share if that is more."""
_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Room:
    """Memory in bytes: of the machine or of the container we are in, and of its GPUs together.

    All of it, whoever uses some just now: a model is fetched for longer than that.
    """

    ram: int
    vram: int = 0

    @property
    def vram_budget(self) -> int:
        """What models may take of the GPUs."""
        return int(self.vram * 0.92)

    @property
    def budget(self) -> int:
        """What models may take of everything, layers being shared out between GPU and CPU."""
        return self.ram - int(max(min(_SYSTEM, self.ram / 2), self.ram * _SHARE)) + self.vram_budget

    @property
    def words(self) -> str:
        """Say what there is."""
        gpu = f", and {size(self.vram)} on the GPU" if self.vram else ""
        return f"this machine has {size(self.ram)}{gpu}"


def room_of(machine: Machine) -> Room:
    """The room that there is on a machine."""
    return Room(machine.ram.total_bytes, sum(gpu.total_bytes for gpu in machine.gpus))


def beside_weights(profile: Profile, machine: Machine) -> int:
    """Bytes that a model takes beside its weights with `CONTEXT` tokens, by its header."""
    share = forecast(profile, LoadOptions(context=CONTEXT), ())[-1]
    return share.kv + share.compute + overhead(profile, machine.ram, used=True)


def usually_beside(parameters: int) -> int:
    """Bytes that a model of so many parameters usually takes beside its weights with `CONTEXT` tokens."""
    kv = next(gib for most, gib in _KV_GIB if parameters <= most)
    return int((kv + _OVERHEAD_GIB) * GIB)
