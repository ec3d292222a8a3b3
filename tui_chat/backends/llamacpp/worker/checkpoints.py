"""States of a cache at turn boundaries, and of branches that were left, for models that need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui_chat.backends.llamacpp.worker.states import State
from tui_chat.memory.available import available_ram
from tui_chat.memory.sequences import common_length

MOST = 16
"""Checkpoints, and snapshots."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the cache of the first `position` tokens held of the kind that is lost as it moves on."""

    position: int
    state: State

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.state)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A branch that was left: its tokens, the whole state of them, and its checkpoints."""

    tokens: list[int]
    state: State
    checkpoints: tuple[Checkpoint, ...]
    tag: str = ""

    def reusable(self, prompt: list[int]) -> int:
        """How many tokens of `prompt` it gives: all of its own, or as many as a checkpoint of it has."""
        common = common_length(self.tokens, prompt)
        if common == len(self.tokens):
            return common
        return max((kept.position for kept in self.checkpoints if kept.position <= common), default=0)


class Checkpoints:
    """The checkpoints of one cache, in the order of their positions, which is that of their making.

    All of them belong to the tokens the cache holds: whoever shortens the cache calls `forget_after`. Beside
    them are snapshots of branches that were left, which live on what the checkpoints leave.

    Args:
        limit_bytes: What all states together may take; the oldest are dropped, snapshots first.
        floor_bytes: RAM that has to stay available on the machine. No plan counts checkpoints, so they
            live on what plans leave, and are given back when somebody else took it.
    """

    def __init__(self, limit_bytes: int, floor_bytes: int = 0) -> None:
        self.limit_bytes = limit_bytes
        self.floor_bytes = floor_bytes
        self._kept: list[Checkpoint] = []
        self._left: list[Snapshot] = []

    @property
    def kept(self) -> tuple[Checkpoint, ...]:
        """All of them, lowest position first."""
        return tuple(self._kept)

    @property
    def left(self) -> tuple[Snapshot, ...]:
        """The snapshots, least lately left first."""
        return tuple(self._left)

    def __contains__(self, position: int) -> bool:
        return any(checkpoint.position == position for checkpoint in self._kept)

    def add(self, checkpoint: Checkpoint) -> None:
        """Keep one more, of a position above all others, at the cost of the oldest."""
        self._kept.append(checkpoint)
        if len(self._kept) > MOST:
            del self._kept[0]
        self._trim()

    def leave(self, snapshot: Snapshot) -> None:
        """Keep a branch that is being left, at the cost of older ones; it has `fits` first."""
        self._left.append(snapshot)
        if len(self._left) > MOST:
            del self._left[0]
        self._trim()

    def fits(self, size: int) -> bool:
        """Whether there is room for a whole state of `size` bytes beside the checkpoints."""
        return size + sum(kept.size for kept in self._kept) <= self.limit_bytes and not self._is_short(size)

    def best(self, prompt: list[int]) -> tuple[Snapshot | None, int]:
        """The snapshot that most of `prompt` can be had from, and how many tokens that is."""
        found = [(snapshot, snapshot.reusable(prompt)) for snapshot in self._left]
        return max(found, key=lambda pair: pair[1], default=(None, 0))

    def take(self, snapshot: Snapshot) -> None:
        """Drop a snapshot, because the cache itself holds that branch again."""
        self._left = [left for left in self._left if left is not snapshot]

    def _trim(self) -> None:
        while (oldest := self._left or self._kept) and (self._total() > self.limit_bytes or self._is_short()):
            del oldest[0]

    def _total(self) -> int:
        """Bytes of all states; a branch and the one that it was left for have some in common."""
        checkpoints = [*self._kept, *(kept for left in self._left for kept in left.checkpoints)]
        sizes = {id(kept): kept.size for kept in checkpoints}
        return sum(sizes.values()) + sum(len(left.state) for left in self._left)

    def _is_short(self, more: int = 0) -> bool:
        return self.floor_bytes > 0 and available_ram() < self.floor_bytes + more

    def replace(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Keep these instead, as far as there is room."""
        self._kept.clear()
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
        """Drop all checkpoints. Snapshots need nothing of the cache, and stay."""
        self._kept.clear()

    def forget(self) -> None:
        """Drop the snapshots too: what they are states of is no longer this context's."""
        self._kept.clear()
        self._left.clear()
