"""What usually comes next is ready before anybody asks, and is in nobody's way."""

from __future__ import annotations

import asyncio

from tests.engine.support import ONE_AT_8K, ask, engine_in, loads, residents, seen
from tests.homes import Home
from tests.worker.support import PATIENCE_S
from tui_chat.client.engine import EngineClient
from tui_chat.wire.api import LoadRequest, ModelState

ON_ITS_WAY = (ModelState.SPAWNING, ModelState.LOADING, ModelState.WARMING)


async def make_a_habit(client: EngineClient) -> None:
    """Turn twice from a to b, and then use a alone."""
    for model in "abab":
        await ask(client, model, "Hello.")
    await client.unload("b")
    await ask(client, "a", "Hello.")


async def be_loading(client: EngineClient, model: str) -> None:
    """Have `model` be on its way because it comes next; it may be there before anybody looks."""
    state = ModelState.READY
    while state is ModelState.READY:
        await client.unload(model)
        await ask(client, "a", "Hello.")
        await seen(client, model, *ON_ITS_WAY, ModelState.READY)
        state = (await residents(client))[model].state


async def test_what_usually_comes_next_is_loaded_before_anybody_asks(models: Home) -> None:
    async with engine_in(models) as client:
        await make_a_habit(client)
        await seen(client, "b", ModelState.READY)
        before = loads(models, "b")
        await ask(client, "b", "Hello.")
        assert loads(models, "b") == before
        for _ in range(5):
            await be_loading(client, "b")
            await client.load(LoadRequest("c"))
            found = await residents(client)
            if "b" not in found:
                break
            await client.unload("c")  # the guess was there before anybody asked
    assert "b" not in found, "whoever asks does not wait for a guess"
    assert {"a", "c"} <= set(found)


async def test_nobody_goes_for_what_was_only_guessed(models: Home) -> None:
    models.configure("", models=ONE_AT_8K)
    async with engine_in(models) as client:
        await make_a_habit(client)
        log = models.paths.logs / "engine.log"
        async with asyncio.timeout(PATIENCE_S):
            while "b.gguf is not loaded beforehand" not in log.read_text():
                await asyncio.sleep(0.05)
        assert (await residents(client))["a"].context == 8192
