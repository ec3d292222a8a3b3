"""Opening long sessions: from process start to a fully painted screen, and what the process then weighs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import psutil

from tests.benchmarks.harness import Row, at_most
from tests.benchmarks.places import Bench, bench_home
from tests.benchmarks.sessions import long_session
from tests.benchmarks.terminal import Terminal
from tui_chat.store.sessions import SessionStore

ROUNDS = 5
MIB = 1 << 20


def rows() -> Iterator[Row]:
    """Open sessions of 1,000 and of 10,000 messages."""
    with bench_home() as bench:
        bench.run("engine", "start")
        for count, limit_ms, limit_mb in ((1000, 500, 80), (10000, 1200, 120)):
            session = long_session(count)
            SessionStore(bench.paths.sessions).create(session).close()
            measured = [_open(bench, session.id) for _ in range(ROUNDS + 1)][1:]
            painted, weight = (statistics.median(column) for column in zip(*measured, strict=True))
            yield at_most(f"open {count:,} messages: start to full paint", painted * 1e3, "ms", limit_ms)
            yield at_most(f"open {count:,} messages: memory of the terminal process", weight, "MB", limit_mb)


def _open(bench: Bench, id: str) -> tuple[float, float]:
    with Terminal.chat("--resume", id, env=bench.env) as terminal:
        painted = terminal.wait_for("THE-END")
        terminal.pump_for(1.0)
        return painted - terminal.started, psutil.Process(terminal.pid).memory_info().rss / 1e6
