"""A real llama.cpp server that tests share, and a driver of GPUs that plays scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.llama_server import LlamaServerProcess
from tests.telemetry.conftest import fake_nvml, script

__all__ = ["fake_nvml", "script"]  # fixtures, found here by their names


@pytest.fixture(scope="session")
def llama_server(starter_model: Path) -> Iterator[LlamaServerProcess]:
    """llama.cpp's server with the real model, two slots and metrics; leave it idle."""
    process = LlamaServerProcess(starter_model)
    try:
        yield process.wait()
    finally:
        process.close()
