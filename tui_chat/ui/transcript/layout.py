"""Where entries of known and estimated heights stand below one another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Layout:
    """Heights of entries and the lines they begin at.

    Beginnings are summed only when asked for, and only from the first entry whose height changed:
    a growing last entry costs nothing, a corrected one in 10,000 a fraction of a millisecond.
    """

    __slots__ = ("_clean", "_heights", "_tops")

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tops = [0]
        self._clean = 0

    def __len__(self) -> int:
        return len(self._heights)

    @property
    def total(self) -> int:
        """Lines of all entries together."""
        return self._summed()[-1]

    def append(self, height: int) -> None:
        """Add an entry below the others."""
        self._heights.append(height)

    def height(self, index: int) -> int:
        """Return the height of an entry in lines."""
        return self._heights[index]

    def resize(self, index: int, height: int) -> None:
        """Give an entry another height."""
        if self._heights[index] != height:
            self._heights[index] = height
            self._clean = min(self._clean, index)

    def top(self, index: int) -> int:
        """Return the line an entry begins at."""
        return self._summed()[index]

    def at(self, line: int) -> int:
        """Return the entry a line belongs to; the nearest one for lines outside."""
        return max(0, min(bisect_right(self._summed(), line) - 1, len(self._heights) - 1))

    def _summed(self) -> list[int]:
        if self._clean < len(self._heights):
            start = self._tops[self._clean]
            self._tops[self._clean :] = accumulate(self._heights[self._clean :], initial=start)
            self._clean = len(self._heights)
        return self._tops
