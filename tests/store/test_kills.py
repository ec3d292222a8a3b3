"""Whoever changes a session may die at any moment; what was saved before stays, and stays a tree."""

from __future__ import annotations

from pathlib import Path

from tests.kills import kill_at_random


def test_nothing_is_lost_by_kills_among_random_acts(tmp_path: Path) -> None:
    toll = kill_at_random(tmp_path, acts=250, seed=7)
    assert toll.acts >= 250
    assert toll.kills >= 4
    assert toll.lost == ()
