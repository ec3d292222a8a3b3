"""A driver of NVIDIA's that plays scripts, for whatever a test starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.telemetry.script import Script, leading_to, make_driver


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a libnvidia-ml.so.1 that plays scripts."""
    folder = tmp_path_factory.mktemp("nvml")
    make_driver(folder)
    return folder


@pytest.fixture
def script(fake_nvml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """What the driver says to every program that is started from now on; at first, that there is no GPU."""
    script = Script(tmp_path / "script")
    script.play()
    for name, value in leading_to(fake_nvml, script).items():
        monkeypatch.setenv(name, value)
    return script
