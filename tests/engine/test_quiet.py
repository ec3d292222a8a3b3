"""What a real engine does while nobody waits, and who is better off for it."""

from __future__ import annotations

import asyncio

from tests.engine.support import LONG, ONE_AT_8K, ask, engine_in, residents
from tests.homes import Home
from tui_chat.client.engine import EngineClient
from tui_chat.wire.api import LoadRequest, ModelState
from tui_chat.wire.cache import ParkInfo

STORY = ("Tell me of a lighthouse. " + LONG, "It stood by the sea.", "Go on.")


async def parked(client: EngineClient, tokens: int = 0) -> ParkInfo:
    """What was parked last, once that is of more than so many tokens."""
    async with asyncio.timeout(60):
        while True:
            entries = (await client.cache()).entries
            if entries and entries[0].tokens > tokens:
                return entries[0]
            await asyncio.sleep(0.05)


async def state_of(client: EngineClient, model: str) -> ModelState:
    (found,) = [info for info in await client.models() if info.id == model]
    return found.state


async def test_a_conversation_is_parked_before_its_model_has_to_go(models: Home) -> None:
    models.configure("", models=ONE_AT_8K)
    async with engine_in(models) as client:
        first = await ask(client, "a", *STORY, session="s1")
        before = await parked(client)
        held = first.usage.prompt_tokens + first.usage.completion_tokens
        assert (before.model, before.session, before.place) == ("a", "s1", "ram")
        assert held - 1 <= before.tokens <= held
        assert await state_of(client, "a") is ModelState.READY
        await client.load(LoadRequest("b", context=8192))
        assert set(await residents(client)) == {"b"}
        assert (await parked(client)).id == before.id, "its eviction had nothing left to write"
        assert await state_of(client, "a") is ModelState.PARKED
        assert await state_of(client, "c") is ModelState.ON_DISK

        back = await ask(client, "a", *STORY, "It burned.", "And then? " + LONG, session="s1")
        assert back.usage.reused_tokens > 150
        longer = await parked(client, before.tokens)
        assert longer.id != before.id
        await client.unload("a")
        await client.clear_cache("a")
        assert await state_of(client, "a") is ModelState.ON_DISK


async def test_what_is_parked_is_known_to_the_next_engine_and_without_one(models: Home) -> None:
    async with engine_in(models) as client:
        await ask(client, "a", *STORY, session="s1")
    assert models.run("engine", "stop").returncode == 0
    listed = models.run("models").stdout.splitlines()
    assert "parked" in next(line for line in listed if line.startswith("a "))
    assert not any("parked" in line for line in listed if line.startswith(("b ", "c ")))
    async with engine_in(models) as client, asyncio.timeout(60):
        while await state_of(client, "a") is not ModelState.PARKED:
            await asyncio.sleep(0.05)
