"""The models that forecasts are compared on, as files whose header is whole and whose weights are a hole."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.memory.published import PUBLISHED
from tests.memory.architectures import ARCHITECTURES

QUIET = os.environ | {"GGML_NO_BACKTRACE": "1"}


@contextlib.contextmanager
def zoo_files() -> Iterator[list[Path]]:
    """Write a small model of each architecture that we know."""
    with _written("tests.memory.shapes", list(ARCHITECTURES)) as files:
        yield files


@contextlib.contextmanager
def published_files() -> Iterator[list[Path]]:
    """Write models in the sizes that they are published in."""
    with _written("tests.benchmarks.memory.published", list(PUBLISHED)) as files:
        yield files


@contextlib.contextmanager
def _written(module: str, names: list[str]) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        command = [sys.executable, "-m", module, folder]
        done = subprocess.run(command, env=QUIET, capture_output=True, text=True, check=True)
        files = [Path(folder, f"{name}.gguf") for name in names]
        missing = [file.stem for file in files if not file.is_file()]
        assert not missing, f"llama.cpp did not take {missing}: {done.stderr}"
        yield files
