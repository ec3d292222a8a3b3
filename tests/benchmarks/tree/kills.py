"""Ten thousand acts on trees while the process that does them is killed: what is lost by that."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.kills import kill_at_random

ACTS = 10_000


def rows() -> Iterator[Row]:
    """Do the acts, and count."""
    with tempfile.TemporaryDirectory() as folder:
        toll = kill_at_random(Path(folder), ACTS, seed=20261121)
    for lost in toll.lost[:20]:
        print(f"    {lost}", file=sys.stderr)
    yield at_most(f"{toll.acts:,} random acts with kills: lost or invalid", len(toll.lost), "", 0)
    yield informs("kills among them", toll.kills, "")
