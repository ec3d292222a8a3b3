"""Whatever is done to a cache, what it holds is worth a fresh evaluation: walks at random prove it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.walks import steps
from tests.worker import tiny

WALK = Path(__file__).parent / "walk.py"
MARGIN = 10
"""How many times the noise that other batches alone were seen to make an error may be. A walk sees some
dozens of stories, so the largest noise is not among them; a wrong cache errs by a thousand times as much."""

MODELS = {
    "plain": tiny.write_plain,
    "window": tiny.write_sliding_window,
    "recurrent": tiny.write_recurrent,
    "hybrid": tiny.write_hybrid,
    "hybrid window": partial(tiny.write_hybrid, window=tiny.WINDOW),
}
TO_THE_BIT = ("recurrent", "hybrid")
"""Kinds whose cells always lie in the same order, which rounding depends on."""
WAYS = [*((kind, "exact") for kind in MODELS), ("plain", "flash"), ("window", "flash")]


def _walk(model: Path, seed: int, length: int, park: Path, *how: str) -> dict[str, Any]:
    command = [sys.executable, WALK, model, str(seed), str(length), park, *how]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _is_right(kind: str, report: dict[str, Any]) -> bool:
    """Whether no logit was wrong by more than rounding accounts for."""
    return bool(report["error"] <= (0 if kind in TO_THE_BIT else MARGIN * report["noise"]))


@pytest.mark.walk
@pytest.mark.parametrize(("kind", "attention"), WAYS)
def test_walks_over_a_tree_end_in_the_right_logits(kind: str, attention: str, tmp_path: Path) -> None:
    write: Callable[[Path], None] = MODELS[kind]
    model, park = tmp_path / "tiny.gguf", tmp_path / "tiny.park"
    write(model)
    for seed in range(1, 1 + steps(1)):
        report = _walk(model, seed, 20, park, attention)
        assert _is_right(kind, report), (seed, report)
        assert report["branches"], "what was left is kept"
        assert report["returns"], "what was read to its end is not read again"
        assert report["saved"] > 0.5, "turn boundaries are gone back to, not read again"
        report = _walk(model, seed, 2, park, attention, "resume")
        assert _is_right(kind, report), (seed, report)
        assert report["saved"] > 0.5


@pytest.mark.parametrize("kind", ["window", "recurrent"])
def test_without_ram_to_spare_no_state_is_kept_and_the_logits_are_right(kind: str, tmp_path: Path) -> None:
    model, park = tmp_path / "tiny.gguf", tmp_path / "tiny.park"
    MODELS[kind](model)
    for how in (["short"], ["resume", "short"]):
        report = _walk(model, 1, 6, park, *how)
        assert _is_right(kind, report), report
        assert report["checkpoints"] == report["branches"] == 0
