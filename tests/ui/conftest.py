"""A real app on the real controller, engine and model, without a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import _wait

from tests.homes import Home
from tests.servers.ollama_stand_in import OllamaStandIn, Status, ollama_in_thread
from tests.ui.support import Chats

WATCHED_S = 0.01
"""How long the pilot watches the app before it calls it idle; it does so twice for each key."""


@pytest.fixture(autouse=True)
def _keys_follow_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Type like a quick person. What takes the app longer than its own work, a test waits for by `until`."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", WATCHED_S)


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
