"""Saving one more turn of a long conversation, and how long that keeps other threads from running."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.sessions import long_session
from tui_chat.chat.model import Message, Role
from tui_chat.chat.tree import ChatTree
from tui_chat.store.sessions import OpenSession, SessionStore

MESSAGES = 5000
SAVES = 20
TICK_S = 0.0005
UNBLOCKED_MS = 10.0


def rows() -> Iterator[Row]:
    """Save a session of 5,000 messages once after it was opened, then once for each new turn."""
    session = long_session(MESSAGES)
    with tempfile.TemporaryDirectory() as folder:
        store = SessionStore(Path(folder))
        store.create(session).close()
        with store.open(session.id) as opened:
            tree = ChatTree(opened.session)
            first, first_stall = _stalled(lambda: _save_one_more(opened, tree))
            saves = [_stalled(lambda: _save_one_more(opened, tree)) for _ in range(SAVES)]
    times, stalls = zip(*saves, strict=True)
    name = f"save one more turn, {MESSAGES:,} messages"
    yield at_most(f"{name}: median", statistics.median(times), "ms", 30)
    yield informs(f"{name}: longest of {SAVES}", max(times), "ms")
    yield at_most(f"{name}: others wait at most, median", statistics.median(stalls), "ms", UNBLOCKED_MS)
    yield informs(f"{name}: the first after opening", first, "ms")
    yield at_most(f"{name}: others wait during the first", first_stall, "ms", UNBLOCKED_MS)


def _save_one_more(opened: OpenSession, tree: ChatTree) -> None:
    last = tree.session.messages[-1]
    when = last.created + timedelta(seconds=1)
    name = f"20260101-000000-{len(tree.session.messages):08d}"
    tree.add(Message(name, Role.USER, "And what became of the keeper?", when, last.id))
    opened.save(tree.session)


def _stalled(work: Callable[[], None]) -> tuple[float, float]:
    """Do `work`; return how long it took and the longest that another thread came late, in ms."""
    over = threading.Event()
    latest = 0.0

    def tick() -> None:
        nonlocal latest
        before = time.perf_counter()
        while not over.is_set():
            time.sleep(TICK_S)
            now = time.perf_counter()
            latest = max(latest, now - before - TICK_S)
            before = now

    ticking = threading.Thread(target=tick)
    ticking.start()
    started = time.perf_counter()
    work()
    took = time.perf_counter() - started
    over.set()
    ticking.join()
    return took * 1e3, latest * 1e3
