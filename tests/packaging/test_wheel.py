"""The wheel: built, installed into an environment of its own, and run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tui_chat import __version__

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; what it depends on is borrowed from the one of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder),
        "install",
        "--quiet",
        "--no-deps",
        str(wheel),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def run(installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run something in the environment, away from the checkout, with an empty home."""
    home = installed / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TUI_"))}
    environment |= {"HOME": str(home), "PYTHONPATH": sysconfig.get_paths()["purelib"]}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=installed, timeout=60, check=True
    )


def test_wheel_holds_what_it_needs_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert sum(name.startswith("tui_chat/_themes/") and name.endswith(".toml") for name in names) >= 2
    assert (
        sum(name.startswith("tui_chat/_sessions_example/") and name.endswith(".json") for name in names) >= 3
    )
    assert sum(name.startswith("tui_chat/config/builtin_presets/") for name in names) == 6
    for kind in (".tcss", "METADATA", "licenses/LICENSE", "cli/main.py"):
        assert any(name.endswith(kind) for name in names), kind
    assert [
        name for name in names if name.startswith("tests") or ".gguf" in name or "__pycache__" in name
    ] == []


def test_installed_program_runs(installed: Path) -> None:
    program = str(installed / "bin" / "tui-chat")
    assert run(installed, program, "--version").stdout == f"tui-chat {__version__}\n"
    assert json.loads(run(installed, program, "models", "--json").stdout) == []
    assert len(json.loads(run(installed, program, "presets", "--json").stdout)) == 6
    assert "--continue" in run(installed, program, "--help").stdout


def test_installed_program_finds_what_came_with_it(installed: Path) -> None:
    code = (
        "import tui_chat, tui_chat.ui.app, json\n"
        "from tui_chat.config.resources import examples_folder, themes_folder\n"
        "from tui_chat.store.sessions import SessionStore\n"
        "listed = SessionStore(examples_folder()).list()\n"
        "print(json.dumps([tui_chat.__file__, len(list(themes_folder().glob('*.toml'))), len(listed)]))"
    )
    where, themes, examples = json.loads(run(installed, str(installed / "bin" / "python"), "-c", code).stdout)
    assert Path(where).is_relative_to(installed)
    assert themes >= 2
    assert examples >= 3
