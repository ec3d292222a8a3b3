"""What is reused of a cache is exactly valid, for the models that corrupt silently too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.worker import tiny

REWIND = Path(__file__).parent / "rewind.py"
LENGTH = 1400
"""Tokens; far more than the windowed model's cache holds of its windows."""


def _rewind(model: Path, length: int) -> tuple[dict[int, int], float]:
    """Per length of the common beginning how much of it was reused, and the largest error of a logit."""
    done = subprocess.run([sys.executable, REWIND, model, str(length)], capture_output=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    reused = {int(kept): case["reused"] for kept, case in report.items()}
    return reused, max(case["error"] for case in report.values())


def test_full_attention_reuses_every_common_beginning(starter_model: Path) -> None:
    reused, error = _rewind(starter_model, 25)
    assert reused == {25: 25, 20: 20, 5: 5, 0: 0}
    assert error == 0


def test_a_sliding_window_is_not_rewound_past_what_it_holds(tmp_path: Path) -> None:
    model = tmp_path / "window.gguf"
    tiny.write_sliding_window(model)
    reused, error = _rewind(model, LENGTH)
    assert reused == {LENGTH: LENGTH, LENGTH - 5: LENGTH - 5, LENGTH // 5: 0, 0: 0}
    assert error == 0


def test_recurrent_state_only_goes_forward(tmp_path: Path) -> None:
    model = tmp_path / "recurrent.gguf"
    tiny.write_recurrent(model)
    reused, error = _rewind(model, LENGTH)
    assert reused == {LENGTH: LENGTH, LENGTH - 5: 0, LENGTH // 5: 0, 0: 0}
    assert error == 0
