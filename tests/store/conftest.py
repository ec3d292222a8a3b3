"""A store in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_chat.store.sessions import SessionStore


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")
