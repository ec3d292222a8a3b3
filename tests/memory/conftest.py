"""Models of many architectures, without weights, as llama.cpp itself lays them out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.memory.architectures import ARCHITECTURES


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file for each of `ARCHITECTURES`."""
    folder = tmp_path_factory.mktemp("zoo")
    command = [sys.executable, "-m", "tests.memory.shapes", str(folder)]
    done = subprocess.run(
        command, env=os.environ | {"GGML_NO_BACKTRACE": "1"}, capture_output=True, text=True, check=True
    )
    assert {path.stem for path in folder.glob("*.gguf")} == set(ARCHITECTURES), done.stderr
    return folder
