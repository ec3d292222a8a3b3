"""Homes with several models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.homes import Home


@pytest.fixture
def models(home: Home, starter_model: Path) -> Home:
    """A home with three models called a, b and c: copies, because links would be one model."""
    (home.paths.models / starter_model.name).unlink()
    for name in "abc":
        shutil.copyfile(starter_model, home.paths.models / f"{name}.gguf")
    return home
