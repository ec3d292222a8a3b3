"""Real workers with the real model, and a watch that none outlives its test."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.worker.support import WORKER, load, workers
from tui_chat.backends.llamacpp.resident import LlamaCppModel

ENDS_WITHIN_S = 20.0
Loader = Callable[..., Awaitable[LlamaCppModel]]


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    before = set(workers())
    yield
    deadline = time.monotonic() + ENDS_WITHIN_S
    while left := set(workers()) - before:
        assert time.monotonic() < deadline, f"a process of {WORKER} outlived its test: {left}"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def weights(starter_model: Path) -> bytes:
    """The whole model file, to make broken ones from."""
    return starter_model.read_bytes()


@pytest.fixture
async def loaded(starter_model: Path, tmp_path: Path) -> AsyncIterator[Loader]:
    """Load models that are closed after the test: ``await loaded(context=1024)``."""
    async with AsyncExitStack() as stack:

        async def loader(context: int = 2048, path: Path = starter_model, ubatch: int = 512) -> LlamaCppModel:
            model = await load(path, tmp_path / "logs", context, ubatch)
            stack.push_async_callback(model.close)
            return model

        yield loader
