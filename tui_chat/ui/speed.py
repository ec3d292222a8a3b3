"""Tokens per second of the answer being written, counted over the last moments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

WINDOW_S = 2.0
MEANINGFUL_S = 0.25
"""Below this nothing is said: a rate over a few milliseconds is noise."""


class Speed:
    """A sliding window over the tokens that arrive."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._arrived: deque[tuple[float, int]] = deque()
        self._total = 0

    def count(self, tokens: int) -> None:
        """Note that `tokens` arrived now."""
        self._arrived.append((self._clock(), tokens))
        self._total += tokens
        self._forget()

    def reset(self) -> None:
        """Start over, for another answer."""
        self._arrived.clear()
        self._total = 0

    @property
    def total(self) -> int:
        """Tokens since the start of this answer."""
        return self._total

    def per_second(self) -> float | None:
        """Return tok/s over the window, or None while there is too little to say."""
        self._forget()
        if len(self._arrived) < 2:
            return None
        first_at, first = self._arrived[0]
        passed = self._arrived[-1][0] - first_at
        if passed < MEANINGFUL_S:
            return None
        return (sum(n for _, n in self._arrived) - first) / passed

    def _forget(self) -> None:
        limit = self._clock() - WINDOW_S
        while self._arrived and self._arrived[0][0] < limit:
            self._arrived.popleft()
