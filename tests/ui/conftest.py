"""A real app on the real controller, engine and model, without a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.homes import Home
from tests.servers.ollama_stand_in import OllamaStandIn, Status, ollama_in_thread
from tests.ui.idle import wait_for_idle
from tests.ui.support import Chats


@pytest.fixture(autouse=True)
def _keys_follow_what_they_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press each key when the app has done what the one before asked for, and no later."""
    for name in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{name}.wait_for_idle", wait_for_idle)


@pytest.fixture
def chats(home: Home) -> Chats:
    """Opens apps in a home that has the starter model; answers are short and greedy."""
    return Chats(home)


@pytest.fixture
def empty_chats(empty_home: Home) -> Chats:
    """Opens apps in a home without any model."""
    return Chats(empty_home)


@pytest.fixture
def locked() -> Iterator[OllamaStandIn]:
    """An Ollama that lets nobody in."""
    with ollama_in_thread() as stand_in:
        for _ in range(1000):
            stand_in.play("/api/version", Status(403))
        yield stand_in
