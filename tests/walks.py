"""How far the tests marked `walk` walk at random: some steps in `make test`, many more in `make soak`."""

from __future__ import annotations

import os


def steps(few: int) -> int:
    """How many steps to walk where `make test` walks `few`: `SOAK_WALKS` times as many, if that is set."""
    return few * int(os.environ.get("SOAK_WALKS", "1"))
