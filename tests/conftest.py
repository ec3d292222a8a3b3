"""What every test may ask for: the real starter model, and a home of its own with a real engine in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tui_chat.config.paths import Paths, resolve_paths
from tui_chat.config.settings import PathSettings

ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "build" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The real SmolLM2 model; `make test` fetches it once into ``build/models``."""
    path = Path(os.environ.get("TUI_CHAT_TEST_MODEL", STARTER))
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make build/models`")
    return path


@dataclass(frozen=True)
class Home:
    """A person's home folder: everything tui-chat reads and writes in one test is below `root`."""

    root: Path
    paths: Paths

    @property
    def config(self) -> Path:
        return self.root / "config" / "tui-chat" / "config.toml"

    def run(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the real `tui-chat` to its end."""
        command = [sys.executable, "-m", "tui_chat", *arguments]
        return subprocess.run(command, text=True, capture_output=True, timeout=60, **options)

    def processes(self) -> list[psutil.Process]:
        """Every living process of ours that works in this home: engine, workers, terminals."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("XDG_STATE_HOME") == str(self.root / "state")
                if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue
        return found

    def engine(self) -> psutil.Process | None:
        """The running engine."""
        return next((p for p in self.processes() if "tui_chat.engine" in p.cmdline()), None)

    def worker(self) -> psutil.Process | None:
        """The running worker of some model."""
        return next((p for p in self.processes() if "tui_chat.backends.llamacpp.worker" in p.cmdline()), None)


def make_home(root: Path, model: Path | None) -> Home:
    """Lay out an empty home, with the starter model in its models folder if given."""
    data = root / "data" / "tui-chat" / "models"
    data.mkdir(parents=True)
    (root / "run").mkdir(mode=0o700)
    if model is not None:
        (data / model.name).symlink_to(model)
    return Home(root, resolve_paths(PathSettings()))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, starter_model: Path) -> Iterator[Home]:
    """A fresh home that has the starter model; nothing of it may outlive the test."""
    yield from _home(monkeypatch, starter_model)


@pytest.fixture
def empty_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A fresh home without any model."""
    yield from _home(monkeypatch, None)


def _home(monkeypatch: pytest.MonkeyPatch, model: Path | None) -> Iterator[Home]:
    # Not tmp_path: a Unix socket's path must stay under 108 bytes.
    root = Path(tempfile.mkdtemp(prefix="tc-"))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(root / name.lower()))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root / "run"))
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.delenv("TUI_CHAT_CONFIG", raising=False)
    home = make_home(root, model)
    try:
        yield home
        stopped = home.run("engine", "stop", "--force")
        assert stopped.returncode == 0, stopped.stderr
        left = home.processes()
        psutil.wait_procs(left, timeout=5)
        assert home.processes() == [], "processes outlived their home"
        assert list((root / "run" / "tui-chat").glob("*")) == [], "the engine left files behind"
    finally:
        for process in home.processes():
            process.kill()
        shutil.rmtree(root, ignore_errors=True)
