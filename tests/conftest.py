"""What every test may ask for: the real starter model, and a home of its own with a real engine in it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.homes import ELSEWHERE, Home, make_home
from tui_chat.backends.llamacpp.worker.cores import usable_cores
from tui_chat.memory.devices import read_ram

ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "build" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"

AT_ONCE = 8
"""Most tests at once; with more, all wait for the longest one anyhow."""
TEST_BYTES = 2 << 30
"""RAM to have for each test at once: the hungriest runs a terminal, an engine and three models."""

settings.register_profile(
    "tests",
    max_examples=60,
    derandomize="SOAK_WALKS" not in os.environ,  # `make soak` looks for what nobody has thought of yet
    deadline=None,  # a slow machine is no failure
    database=None,  # nothing is left behind
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many tests `-n auto` runs at once: a model under test keeps a core busy, and others wait."""
    return max(1, min(usable_cores() + 1, read_ram().free_bytes // TEST_BYTES, AT_ONCE))


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The real SmolLM2 model; `make test` fetches it once into ``build/models``."""
    path = Path(os.environ.get("TUI_CHAT_TEST_MODEL", STARTER))
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make build/models`")
    return path


@pytest.fixture(scope="session")
def found_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what homes found out about this machine, so that those after them begin with it."""
    return tmp_path_factory.mktemp("found-out")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, starter_model: Path, found_out: Path) -> Iterator[Home]:
    """A fresh home that has the starter model; nothing of it may outlive the test."""
    yield from _home(monkeypatch, starter_model, found_out)


@pytest.fixture
def empty_home(monkeypatch: pytest.MonkeyPatch, found_out: Path) -> Iterator[Home]:
    """A fresh home without any model."""
    yield from _home(monkeypatch, None, found_out)


def _home(monkeypatch: pytest.MonkeyPatch, model: Path | None, found_out: Path) -> Iterator[Home]:
    # Not tmp_path: a Unix socket's path must stay under 108 bytes.
    root = Path(tempfile.mkdtemp(prefix="tc-"))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(root / name.lower()))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root / "run"))
    monkeypatch.setenv("HOME", str(root))
    ours = [name for name in os.environ if name.startswith("TUI_CHAT_")]
    for name in (*ours, *ELSEWHERE):
        monkeypatch.delenv(name, raising=False)
    # Else the models of an Ollama that runs on this machine are found, wherever the home is.
    monkeypatch.setenv("OLLAMA_MODELS", str(root / "ollama"))
    home = make_home(root, model)
    home.begin_with(found_out)
    try:
        yield home
        assert home.ends(), f"these outlived their home: {home.processes()}"
        assert list((root / "run" / "tui-chat").glob("*")) == [], "the engine left files behind"
        home.leave_to(found_out)
    finally:
        for process in home.processes():
            process.kill()
        shutil.rmtree(root, ignore_errors=True)
