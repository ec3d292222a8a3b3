"""A real app on the real controller, engine and model, without a terminal."""

from __future__ import annotations

import pytest

from tests.homes import Home
from tests.ui.support import Chats


@pytest.fixture
def chats(home: Home) -> Chats:
    """Opens apps in a home that has the starter model; answers are short and greedy."""
    return Chats(home)


@pytest.fixture
def empty_chats(empty_home: Home) -> Chats:
    """Opens apps in a home without any model."""
    return Chats(empty_home)
