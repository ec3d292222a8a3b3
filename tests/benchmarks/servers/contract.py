"""The contract of all backends: how many checks each passes, and what it cannot be put to."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.harness import Row, at_least, informs
from tests.benchmarks.places import STARTER
from tests.servers.backends import backends
from tests.servers.contract import CHECKS, Backend, CannotError, Check
from tests.servers.llama_server import Revived


def rows() -> Iterator[Row]:
    """Hold each backend against it."""
    with tempfile.TemporaryDirectory() as folder:
        server = Revived(STARTER)
        try:
            for backend in backends(STARTER, Path(folder), server):
                yield from _held_against(backend)
        finally:
            server.close()


def _held_against(backend: Backend) -> Iterator[Row]:
    passed, cannot = 0, []
    for check in CHECKS:
        try:
            asyncio.run(_one(backend, check))
            passed += 1
        except CannotError as why:
            cannot.append(f"{check.__name__}: {why}")
        except Exception as error:
            print(f"  {backend.name}, {check.__name__}: {type(error).__name__}: {error}")
    can = len(CHECKS) - len(cannot)
    yield at_least(f"contract, {backend.name}", passed, "checks", can)
    for why in cannot:
        yield informs(f"  skipped {why}", 1, "check")


async def _one(backend: Backend, check: Check) -> None:
    async with backend.open() as opened:
        await check(opened)
