"""Garbage in cycles goes away, but never while somebody waits for the screen."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from tui_chat.ui.garbage import QUIET_S, Sweeper


class Knot:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def only_by_us() -> Iterator[None]:
    """Nothing but the sweeper collects."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("only_by_us")
def test_it_sweeps_once_it_has_been_quiet() -> None:
    now = 100.0
    sweeper = Sweeper(lambda: now)
    knot = weakref.ref(Knot())
    kept = [[] for _ in range(5_000)]
    now += QUIET_S / 2
    sweeper.stir()
    now += QUIET_S
    sweeper.sweep()
    assert knot() is not None, "it has only just become quiet"
    now += 0.1
    sweeper.sweep()
    assert knot() is None
    assert kept


@pytest.mark.usefixtures("only_by_us")
def test_an_idle_terminal_is_left_asleep() -> None:
    now = 100.0
    sweeper = Sweeper(lambda: now)
    knot = weakref.ref(Knot())
    now += QUIET_S * 2
    sweeper.sweep()
    assert knot() is not None, "a sweep for a handful of objects costs more than it brings"
