"""Bytes that an answer costs on the way to the terminal, and a key press over a slow line while one streams.

The real program runs in a real pty of 120x40 with its panels open, while a stand-in for the model speaks at
exactly 100 tok/s through the real engine. The line is a pty that is read no faster than 300 kbit/s, whose
bytes take 100 ms each way: a ping of 200 ms.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator

import msgspec

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import TUI_CHAT, Bench, bench_home
from tests.lines import Line, Remote
from tui_chat.wire.events import Delta, Numbered

RATE = 100
KEYS = 150
RARE = [chr(0x180 + n) for n in range(0x50)]
"""Letters that no text on the screen contains, so that seeing one is seeing the key."""

BYTES_PER_S, DELAY_S = 300_000 / 8, 0.1
CONFIG = '[sampling]\nmax_tokens = 30000\n[ui]\nlow_bandwidth = "{}"\n'
BEGIN_S, WATCH_S = 8.0, 20.0


def rows() -> Iterator[Row]:
    """Let answers stream over a quick line, one said to be slow, and one that is."""
    normal, _ = _run("off", Line(), keys=0)
    frugal, _ = _run("on", Line(), keys=0)
    yield at_most("bytes written per byte of an answer, 120x40, 100 tok/s", normal, "B/B", 150)
    yield at_most("the same with low bandwidth", frugal, "B/B", 40)
    used, late = _run("auto", Line(BYTES_PER_S, DELAY_S), keys=KEYS)
    mute, late_mute = _run("auto", Line(BYTES_PER_S, DELAY_S, answers=False), keys=KEYS)
    yield informs("the same over 300 kbit/s, measured by the chat itself", used, "B/B")
    yield informs("the same on a terminal that answers nothing", mute, "B/B")
    yield at_most("key to paint over 200 ms, 300 kbit/s, streaming: beyond the line, p99", late[0], "ms", 100)
    yield informs("the same, p50", late[1], "ms")
    yield informs("the same on a terminal that answers nothing, p99", late_mute[0], "ms")


def _run(low_bandwidth: str, line: Line, keys: int) -> tuple[float, tuple[float, float]]:
    """Return bytes per byte of the answer, and ms from key to paint beyond the line: p99 and p50."""
    with bench_home(CONFIG.format(low_bandwidth)) as bench:
        engine = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.paced_engine", str(RATE)], env=bench.env
        )
        try:
            with Remote([TUI_CHAT], bench.env, line) as terminal:
                terminal.wait_for("answers here")
                terminal.press("go on\r")
                terminal.pump_for(BEGIN_S)
                painted, said = len(terminal.all), _said(bench)
                terminal.pump_for(WATCH_S)
                cost = (len(terminal.all) - painted) / (_said(bench) - said)
                late = sorted(_type(terminal, line, keys)) or [0.0]
        finally:
            engine.terminate()
            engine.wait()
    return cost, (late[min(len(late) - 1, int(len(late) * 0.99))], late[len(late) // 2])


def _said(bench: Bench) -> int:
    """Bytes of the answer so far, as the engine has journalled them."""
    (journal,) = bench.paths.sessions.glob("*.journal")
    _header, *lines, _unfinished = journal.read_bytes().split(b"\n")
    events = (msgspec.json.decode(line, type=Numbered).event for line in lines)
    return sum(len(event.text.encode()) for event in events if isinstance(event, Delta))


def _type(terminal: Remote, line: Line, keys: int) -> Iterator[float]:
    chance = random.Random(3)
    for number in range(keys):
        terminal.pump_for(chance.uniform(0.05, 0.3))
        if number and number % len(RARE) == 0:
            terminal.press("\x15")  # ctrl+u: an empty line again
            terminal.pump_for(1.0)
        letter, seen = RARE[number % len(RARE)], len(terminal.all)
        pressed = terminal.press(letter)
        yield (terminal.wait_for(letter, seen) - pressed - 2 * line.delay_s) * 1e3
