"""What every test may ask for: the real starter model, and a home of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "build" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The real SmolLM2 model; `make test` fetches it once into ``build/models``."""
    path = Path(os.environ.get("TUI_CHAT_TEST_MODEL", STARTER))
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make build/models`")
    return path
