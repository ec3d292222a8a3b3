"""Key press to paint, in the real program in a real pty, while an answer streams into a long session.

The model is a stand-in that speaks exactly 200 tokens per second through the real engine, so that the
rate is the one asked for on any machine; everything else is the real thing.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import Bench, bench_home
from tests.benchmarks.sessions import long_session
from tests.benchmarks.terminal import Terminal
from tui_chat.store.sessions import SessionStore

KEYS = 300
RARE = [chr(0x180 + n) for n in range(0x50)]
"""Letters that no text on the screen contains, so that seeing one is seeing the key."""


def rows() -> Iterator[Row]:
    """Type 300 letters at random moments while 200 tok/s stream into 1,000 messages."""
    with bench_home() as bench:
        session = long_session(1000)
        SessionStore(bench.paths.sessions).create(session).close()
        latencies = sorted(_type(bench, session.id))
    yield at_most(
        "key to paint while 200 tok/s stream into 1,000 messages, p99", _at(latencies, 0.99), "ms", 40
    )
    yield informs("the same, p50", _at(latencies, 0.5), "ms")


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _type(bench: Bench, id: str) -> Iterator[float]:
    engine = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.paced_engine", "200"], env=bench.env)
    random_ = random.Random(3)
    try:
        with Terminal.chat("--resume", id, env=bench.env) as terminal:
            terminal.wait_for("THE-END")
            terminal.pump_for(1.0)
            terminal.write("go on\r")
            terminal.wait_for("token")
            terminal.pump_for(2.0)
            for number in range(KEYS):
                terminal.pump_for(random_.uniform(0.03, 0.12))
                letter = RARE[number % len(RARE)]
                if number % len(RARE) == 0:
                    terminal.write("\x15")  # ctrl+u: an empty line again
                    terminal.pump_for(0.3)
                pressed = terminal.write(letter)
                yield (terminal.wait_for(letter) - pressed) * 1e3
    finally:
        engine.terminate()
        engine.wait()
