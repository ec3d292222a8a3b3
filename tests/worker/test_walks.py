"""Whatever is done to a cache, what it holds is worth a fresh evaluation: walks at random prove it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.walks import steps
from tests.worker import tiny

WALK = Path(__file__).parent / "walk.py"
ROUNDING = 0.02
"""Largest error of a logit where a window's cells lie in another order; a wrong cache errs by 0.3 to 4."""

MODELS = {
    "window": (tiny.write_sliding_window, ROUNDING),
    "recurrent": (tiny.write_recurrent, 0.0),
    "hybrid": (tiny.write_hybrid, 0.0),
    "hybrid window": (partial(tiny.write_hybrid, window=tiny.WINDOW), ROUNDING),
}


def _walk(model: Path, seed: int, length: int, park: Path, *how: str) -> tuple[float, float, int]:
    """Largest error of a logit, share of all prompts' tokens that was reused, checkpoints at the end."""
    command = [sys.executable, WALK, model, str(seed), str(length), park, *how]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    return report["error"], report["saved"], report["checkpoints"]


@pytest.mark.walk
@pytest.mark.parametrize("kind", MODELS)
def test_reused_parked_and_restored_caches_give_the_right_logits(kind: str, tmp_path: Path) -> None:
    write: Callable[[Path], None]
    write, tolerance = MODELS[kind]
    model, park = tmp_path / "tiny.gguf", tmp_path / "tiny.park"
    write(model)
    for seed in range(1, 1 + steps(2)):
        error, saved, kept = _walk(model, seed, 12, park)
        assert kept
        assert error <= tolerance
        assert saved > 0.5, "turn boundaries are gone back to, not read again"
        error, saved, _ = _walk(model, seed, 2, park, "resume")
        assert error <= tolerance
        assert saved > 0.5


@pytest.mark.parametrize("kind", ["window", "recurrent"])
def test_without_ram_to_spare_no_checkpoint_is_kept_and_the_logits_are_right(
    kind: str, tmp_path: Path
) -> None:
    write, tolerance = MODELS[kind]
    model, park = tmp_path / "tiny.gguf", tmp_path / "tiny.park"
    write(model)
    for how in (["short"], ["resume", "short"]):
        error, _, kept = _walk(model, 1, 6, park, *how)
        assert error <= tolerance
        assert kept == 0
