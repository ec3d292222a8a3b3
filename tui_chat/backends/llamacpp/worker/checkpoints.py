"""States of a cache at turn boundaries, for models that cannot be rewound without them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui_chat.backends.llamacpp.worker.states import State
from tui_chat.memory.available import available_ram

MOST = 16


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the cache of the first `position` tokens held of the kind that is lost as it moves on."""

    position: int
    state: State

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.state)


class Checkpoints:
    """The checkpoints of one cache, in the order of their positions, which is that of their making.

    All of them belong to the tokens the cache holds: whoever shortens the cache calls `forget_after`.

    Args:
        limit_bytes: What all states together may take; the oldest are dropped.
        floor_bytes: RAM that has to stay available on the machine. No plan counts checkpoints, so they
            live on what plans leave, and are given back when somebody else took it.
    """

    def __init__(self, limit_bytes: int, floor_bytes: int = 0) -> None:
        self.limit_bytes = limit_bytes
        self.floor_bytes = floor_bytes
        self._kept: list[Checkpoint] = []

    @property
    def kept(self) -> tuple[Checkpoint, ...]:
        """All of them, lowest position first."""
        return tuple(self._kept)

    def __contains__(self, position: int) -> bool:
        return any(checkpoint.position == position for checkpoint in self._kept)

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep one more, of a position above all others, at the cost of the oldest."""
        self._kept.append(checkpoint)
        total = sum(kept.size for kept in self._kept)
        while self._kept and (len(self._kept) > MOST or total > self.limit_bytes or self._is_short()):
            total -= self._kept.pop(0).size

    def _is_short(self) -> bool:
        return self.floor_bytes > 0 and available_ram() < self.floor_bytes

    def replace(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Keep these instead, as far as there is room."""
        self.clear()
        for checkpoint in checkpoints:
            self.add(checkpoint)

    def last_until(self, position: int) -> Checkpoint | None:
        """The one with the highest position of at most `position`."""
        return next((kept for kept in reversed(self._kept) if kept.position <= position), None)

    def forget_after(self, position: int) -> None:
        """Drop those of tokens that the cache no longer holds."""
        while self._kept and self._kept[-1].position > position:
            self._kept.pop()

    def clear(self) -> None:
        """Drop all."""
        self._kept.clear()
