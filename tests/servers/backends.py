"""Every backend that the contract holds for, each with how to have a model of it.

Another one is added by a line in `backends`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psutil

from tests.servers.contract import Backend, Opened
from tests.servers.llama_server import Revived
from tests.servers.ollama_support import TINY, loaded, standing_in
from tests.servers.openai_kinds import KINDS
from tests.servers.openai_stand_in import MODEL, TOKEN_S, OpenAIStandIn
from tests.servers.small_ollama import Model
from tests.servers.support import model_at
from tests.worker.support import is_gone, load
from tui_chat.wire.servers import ServerKind

_tasks: set[asyncio.Task[None]] = set()
_UNLOADS = ("router", "llama-swap", "lmstudio", "textgen")


def backends(model: Path, folder: Path, llama_server: Revived) -> tuple[Backend, ...]:
    """All of them; `model` is the real one, for `llama_server` too, and logs go to `folder`."""
    stand_ins = (Backend(f"stand-in {name}", partial(_stand_in, name)) for name in KINDS)
    return (
        Backend("llama.cpp worker", partial(_worker, model, folder)),
        Backend("llama-server", partial(_llama_server, llama_server)),
        Backend("stand-in ollama", _ollama),
        *stand_ins,
    )


@asynccontextmanager
async def _worker(model: Path, folder: Path) -> AsyncIterator[Opened]:
    loaded = await load(model, folder, 1024)
    try:
        yield Opened(
            model=loaded,
            kill=lambda: psutil.Process(loaded.pid).kill(),
            has_given_back=lambda: is_gone(loaded.pid),
            parallel=1,
        )
    finally:
        await loaded.close()


@asynccontextmanager
async def _llama_server(server: Revived) -> AsyncIterator[Opened]:
    process = server.process()
    async with model_at(process.url, ServerKind.LLAMA_SERVER) as served:
        yield Opened(model=served, kill=process.kill)


@asynccontextmanager
async def _ollama() -> AsyncIterator[Opened]:
    counting = Model(TINY, answer=", ".join(str(number) for number in range(1, 1000)))
    async with standing_in(counting, token_s=TOKEN_S) as (stand_in, server):
        yield Opened(
            model=await loaded(server),
            kill=lambda: _tasks.add(asyncio.create_task(stand_in.stop())),
            has_given_back=lambda: not stand_in.world.running(),
            parallel=1,
        )


@asynccontextmanager
async def _stand_in(name: str) -> AsyncIterator[Opened]:
    server: OpenAIStandIn = KINDS[name]()
    unloads = name in _UNLOADS
    try:
        async with model_at(server.url, server.kind, MODEL) as served:
            yield Opened(
                model=served,
                kill=server.http.break_off,
                has_given_back=(lambda: MODEL not in server.loaded) if unloads else None,
            )
    finally:
        server.close()
