"""Contexts that grow and shrink under a model in memory."""

from __future__ import annotations

from tests.engine.support import GREEDY, LONG, ask, engine_in, residents
from tests.homes import Home
from tui_chat.chat.model import FinishReason
from tui_chat.wire.api import LoadRequest, PlanRequest
from tui_chat.wire.plan import KvType


async def test_a_context_grows_with_its_conversation(models: Home) -> None:
    async with engine_in(models) as client:
        await client.load(LoadRequest("a", context=256))
        worker = models.worker()
        short = ("Tell me of a lighthouse.", "It stood by the sea.")
        await ask(client, "a", *short, "Go on.")
        assert (await residents(client))["a"].context == 256
        grown = await ask(client, "a", *short, "Go on. " + LONG * 2)
        found = (await residents(client))["a"]
    assert grown.finish in (FinishReason.STOP, FinishReason.LENGTH)
    assert found.context >= 512
    assert grown.usage.reused_tokens > 20
    assert models.worker() == worker, "the weights were not loaded again"


async def test_a_text_of_many_tokens_finds_room_when_the_model_has_counted_it(models: Home) -> None:
    text = "\U00012000" * 140  # four bytes each, and as many tokens
    models.configure("", models="context = 512")
    async with engine_in(models) as client:
        models_guess = len(text.encode()) // 3
        answer = await ask(client, "a", text)
        found = (await residents(client))["a"]
    assert answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
    assert answer.usage.prompt_tokens > models_guess + 256
    assert found.context >= answer.usage.prompt_tokens + GREEDY.max_tokens


async def test_a_context_is_made_as_long_as_somebody_asks_and_nothing_is_loaded(models: Home) -> None:
    async with engine_in(models) as client:
        await ask(client, "a", "Tell me of a lighthouse.", session="s1")
        worker, before = models.worker(), (await residents(client))["a"]
        (plan,) = (await client.plan(PlanRequest(("a",), context=2048))).plans.values()
        await client.load(LoadRequest("a", context=2048))
        found = (await residents(client))["a"]
        again = await ask(client, "a", "Tell me of a lighthouse.", session="s1")
    assert (before.context, plan.options.context, found.context) == (8192, 2048, 2048)
    assert plan.load_s == 0.0
    assert [use.total_bytes for use in found.devices] == [use.total_bytes for use in plan.devices]
    assert before.real_bytes - found.real_bytes > (before.devices[0].kv_bytes - found.devices[0].kv_bytes) / 2
    assert again.usage.reused_tokens > 0
    assert models.worker() == worker, "the weights were not loaded again"


async def test_what_was_chosen_of_a_model_holds_when_it_comes_back(models: Home) -> None:
    async with engine_in(models) as client:
        await client.load(LoadRequest("a", context=4096, kv_type=KvType.Q8_0))
        await client.unload("a")
        await ask(client, "a", "Hello.")
        found = (await residents(client))["a"]
    assert found.options is not None
    assert (found.options.context, found.options.kv_type) == (4096, KvType.Q8_0)
