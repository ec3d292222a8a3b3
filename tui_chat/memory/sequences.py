"""What two texts or runs of tokens have in common."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

LEAST_MOVED = 64
"""Tokens that a run has to have to be found elsewhere: moving it costs as much as reading a few."""


def common_length(left: Sequence[object], right: Sequence[object]) -> int:
    """How many tokens or characters both begin with; by halves, because comparing slices is quick."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Run(NamedTuple):
    """Tokens that a cache holds from `start` on, and how many of them are wanted."""

    start: int
    length: int


def find_moved(held: list[int], prompt: list[int], begin: int) -> Run | None:
    """Where the cache holds what `prompt` goes on with at `begin`, after a gap: the longest such run.

    None if there is none of at least `LEAST_MOVED` tokens.
    """
    wanted = prompt[begin:]
    if len(wanted) < LEAST_MOVED:
        return None
    item = array("i").itemsize
    everywhere = array("i", held).tobytes()
    needle = array("i", wanted[:LEAST_MOVED]).tobytes()
    best: Run | None = None
    at = everywhere.find(needle, (begin + 1) * item)
    while at >= 0:
        if at % item == 0:
            run = Run(at // item, common_length(held[at // item :], wanted))
            if best is None or run.length > best.length:
                best = run
        at = everywhere.find(needle, at + 1)
    return best
