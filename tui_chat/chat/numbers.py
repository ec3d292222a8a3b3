"""What is said of several numbers of which some may be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import TypeVar

N = TypeVar("N", int, float)


def most(values: Iterable[N | None]) -> N | None:
    """The largest of those that are known; None if none is."""
    return max((value for value in values if value is not None), default=None)


def middle(values: Iterable[float | None]) -> float | None:
    """The middle one of those that are known; None if none is."""
    known = [value for value in values if value is not None]
    return median(known) if known else None
