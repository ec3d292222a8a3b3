"""Settings of Python's garbage collector for a quick terminal."""

from __future__ import annotations

import gc


def settle_down() -> None:
    """Keep collections short from now on; call once, after the first paint.

    With the defaults, full collections of up to 134 ms each were the whole tail of key latency.
    Freezing alone makes them more frequent; the thresholds make them not happen.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1000)
    gc.enable()
