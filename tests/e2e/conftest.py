"""End-to-end tests: the installed program in a real terminal, the real engine, worker and model."""

from __future__ import annotations

import shutil

import pytest

from tests.homes import Home


@pytest.fixture(autouse=True)
def _needs_tmux() -> None:
    if shutil.which("tmux") is None:
        pytest.fail("tmux is missing; .ci/run installs it")


@pytest.fixture
def long_answers(home: Home) -> Home:
    """A home where every answer is greedy and 160 tokens long, time enough to do something to it."""
    home.configure("[sampling]\ntemperature = 0.0\nrepeat_penalty = 1.1\nmax_tokens = 160\n")
    return home


@pytest.fixture
def endless_answers(home: Home) -> Home:
    """A home where every answer is greedy and longer than anybody waits for."""
    home.configure("[sampling]\ntemperature = 0.0\nrepeat_penalty = 1.1\nmax_tokens = 4000\n")
    return home


@pytest.fixture
def short_answers(home: Home) -> Home:
    """A home where every answer is greedy and 24 tokens long."""
    home.configure("[sampling]\ntemperature = 0.0\nmax_tokens = 24\n")
    return home
