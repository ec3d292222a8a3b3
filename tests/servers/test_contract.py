"""The contract, held against every backend. What one cannot do is skipped with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.backends import backends
from tests.servers.contract import CHECKS, Backend, CannotError, Check
from tests.servers.llama_server import Revived

NAMES = [backend.name for backend in backends(Path(), Path(), Revived(Path()))]


@pytest.fixture(scope="module")
def revived(starter_model: Path) -> Iterator[Revived]:
    server = Revived(starter_model)
    yield server
    server.close()


@pytest.fixture
def backend(request: pytest.FixtureRequest, starter_model: Path, tmp_path: Path, revived: Revived) -> Backend:
    known = backends(starter_model, tmp_path / "logs", revived)
    return next(each for each in known if each.name == request.param)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("backend", NAMES, indirect=True)
async def test_contract(backend: Backend, check: Check) -> None:
    async with backend.open() as opened:
        try:
            await check(opened)
        except CannotError as why:
            pytest.skip(f"{backend.name}: {why}")
