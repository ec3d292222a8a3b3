"""What tests of the engine share: one that runs for a home, and asking it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.homes import Home
from tests.worker.support import PATIENCE_S
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest, ModelInfo, ModelState, Turn
from tui_chat.wire.events import Settled

GREEDY = Sampling(temperature=0.0, max_tokens=16)
ONE_AT_8K = "ram_limit_mib = 560"
"""Room for one SmolLM2 with a context of 8k (360 MiB) or two with 2k (220 MiB each), margin included."""
LONG = "Tell me about the sea and its creatures. " * 20


@asynccontextmanager
async def engine_in(home: Home) -> AsyncIterator[EngineClient]:
    client = EngineClient(home.paths.socket)
    await ensure_engine(client)
    yield client
    await client.close()


async def ask(client: EngineClient, model: str, *texts: str, **more: object) -> Settled:
    """Ask for an answer to a conversation of `texts`, mine and the model's by turns."""
    roles = (Role.USER, Role.ASSISTANT)
    turns = tuple(Turn(roles[place % 2], text) for place, text in enumerate(texts))
    request = GenerateRequest(id=new_id(), model=model, turns=turns, sampling=GREEDY, **more)
    await client.generate(request)
    async for numbered in client.follow(request.id):
        if isinstance(numbered.event, Settled):
            return numbered.event
    raise AssertionError("every generation settles")


async def residents(client: EngineClient) -> dict[str, ModelInfo]:
    return {info.id: info for info in (await client.info()).residents}


def loads(home: Home, model: str) -> int:
    """How often a model has been loaded."""
    return (home.paths.logs / "engine.log").read_text().count(f"loading {model}:")


async def seen(client: EngineClient, model: str, *states: ModelState) -> None:
    """Wait until a model is in one of `states`, or for none of them, until it is gone."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            info = (await residents(client)).get(model)
            if (info.state in states) if info and states else info is None and not states:
                return
            await asyncio.sleep(0.02)
