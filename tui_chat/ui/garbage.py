"""When Python looks for garbage: never while somebody waits for the screen."""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic

SWEEP_EVERY_S = 20.0
QUIET_S = 3.0
"""Seconds without a key or a token after which nobody will notice a tenth of a second."""

_WORTH_IT = 2_000
"""New objects below which a sweep can wait; an idle terminal makes fewer."""


def settle_down() -> None:
    """Keep collections short from now on; call once, after the first paint.

    With the defaults, full collections of up to 134 ms each were the whole tail of key latency.
    Freezing alone makes them more frequent; the thresholds make them not happen, and `Sweeper` does
    them at a better time: without it a terminal grew by about 0.3 MiB with every resize.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)
    gc.enable()


class Sweeper:
    """Collects garbage once it has been quiet for a while."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._stirred = clock()

    def stir(self) -> None:
        """Note that something happens that must not wait."""
        self._stirred = self._clock()

    def sweep(self) -> None:
        """Collect, if it is quiet and worth it."""
        youngest, middle, _ = gc.get_count()
        worth_it = middle > 0 or youngest > _WORTH_IT
        if worth_it and self._clock() - self._stirred > QUIET_S:
            gc.collect()
