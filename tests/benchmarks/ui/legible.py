"""Every theme on every screen of the real app: pairs of text and ground that are too close to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import bench_home
from tests.homes import Home
from tests.ui.themes.audit import THEMES, audited
from tests.ui.themes.tour import STOPS


def rows() -> Iterator[Row]:
    """Put each theme on each screen, with all its colours, with 256 and with 16."""
    with bench_home("[detect]\nenabled = false\n") as bench:
        audit = asyncio.run(audited(Home(bench.root, bench.paths)))
    for pair in audit.pairs:
        print(f"  {pair}")
    yield at_most("text/background pairs below the contrast floor", len(audit.pairs), "pairs", 0)
    yield informs("pairs looked at", audit.checked, "pairs")
    yield informs(f"screens in each of {len(THEMES)} themes", len(STOPS), "screens")
