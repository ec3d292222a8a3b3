"""A driver of NVIDIA's that plays scripts, and homes whose programs find it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.telemetry.script import Script

SOURCE = Path(__file__).with_name("fake_nvml.c")


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a libnvidia-ml.so.1 that plays scripts."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("g++")
    if compiler is None:
        pytest.fail("a C compiler is missing; .ci/run installs one")
    folder = tmp_path_factory.mktemp("nvml")
    library = folder / "libnvidia-ml.so.1"
    command = [compiler, "-x", "c", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def script(fake_nvml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """What the driver says to every program that is started from now on; at first, that there is no GPU."""
    script = Script(tmp_path / "script")
    script.play(driver="550.54.15", count=0)
    monkeypatch.setenv("FAKE_NVML", str(script.path))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{fake_nvml}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":"))
    return script
