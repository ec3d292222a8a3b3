"""A thousand scripted faults on the line to a server: resets, stalls, garbage, half frames and others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import perf_counter

from tests.benchmarks.harness import Row, at_most, informs
from tests.servers.faults import play, scripts

COUNT = 1000
SEED = 20


def rows() -> Iterator[Row]:
    """Play them, and count what became of the answers."""
    played = scripts(COUNT, SEED)
    began = perf_counter()
    outcome = asyncio.run(play(played))
    yield at_most(f"{COUNT} faults: answers that lost or gained a character", len(outcome.lost), "answers", 0)
    yield at_most(f"{COUNT} faults: answers that never ended", len(outcome.hung), "answers", 0)
    yield at_most(
        f"{COUNT} faults: answers that ended with the wrong reason", len(outcome.wrong), "answers", 0
    )
    yield informs(
        f"{COUNT} faults: characters that were to be kept", sum(len(s.text) for s in played), "chars"
    )
    yield informs(f"{COUNT} faults: time", perf_counter() - began, "s")
