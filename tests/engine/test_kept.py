"""The engine tells of a session what models hold and what is parked, also while it is busy."""

from __future__ import annotations

from pathlib import Path

from tests.engine.support import GREEDY, LONG, engine_in
from tests.homes import Home
from tests.worker import tiny
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.wire.api import GenerateRequest, GenerationState, Kept, LoadRequest, ModelInfo, Turn
from tui_chat.wire.events import Delta, Settled

SEA, SKY = LONG, "Tell me about the sky and its clouds. " * 20
ENDLESS = Sampling(temperature=0, max_tokens=1500)


async def _answer(client: EngineClient, model: str, session: str, text: str) -> tuple[str, Settled]:
    """The id of an answer to `text` and how it ended."""
    request = _request(model, session, text, GREEDY)
    await client.generate(request)
    end = [numbered.event async for numbered in client.follow(request.id)][-1]
    assert isinstance(end, Settled)
    return request.id, end


def _request(model: str, session: str, text: str, sampling: Sampling) -> GenerateRequest:
    turns = (Turn(Role.USER, text),)
    return GenerateRequest(id=new_id(), model=model, turns=turns, sampling=sampling, session=session)


async def _kept(client: EngineClient, session: str) -> dict[str, Kept]:
    return {kept.model: kept for kept in (await client.kept(session)).models}


async def _only(client: EngineClient, session: str) -> Kept:
    (kept,) = (await client.kept(session)).models
    return kept


async def test_what_is_hot_is_told_of_its_own_session_and_with_its_price(home: Home) -> None:
    async with engine_in(home) as client:
        assert (await client.kept("sea")).models == ()
        sea, end = await _answer(client, "SmolLM2", "sea", SEA)
        kept = await _only(client, "sea")
        assert (kept.hot, kept.warm, kept.cuts_anywhere) == ((sea,), (), True)
        whole = end.usage.prompt_tokens + end.usage.completion_tokens
        assert whole - kept.tokens[sea] in (0, 1)
        assert kept.read_tps is not None
        other = await _only(client, "sky & more")
        assert (other.hot, other.warm, other.tokens) == ((), (), {})
        assert other.read_tps == kept.read_tps


async def test_a_displaced_conversation_is_warm_and_hot_again_when_it_goes_on(home: Home) -> None:
    async with engine_in(home) as client:
        sea, _ = await _answer(client, "SmolLM2", "sea", SEA)
        sky, _ = await _answer(client, "SmolLM2", "sky", SKY)
        kept = await _only(client, "sea")
        assert kept.warm == (sea,)
        assert kept.tokens[sea] > 150
        assert (await _only(client, "sky")).hot == (sky,)
        again, end = await _answer(client, "SmolLM2", "sea", SEA)
        assert end.usage.reused_tokens > 150
        assert again in (await _only(client, "sea")).hot


async def test_what_is_kept_survives_a_resize_an_unload_and_the_engine(home: Home) -> None:
    async with engine_in(home) as client:
        sea, _ = await _answer(client, "SmolLM2", "sea", SEA)
        before: ModelInfo = (await client.info()).residents[0]
        await client.load(LoadRequest("SmolLM2", context=before.context // 2))
        assert (await client.info()).residents[0].context < before.context
        assert (await _only(client, "sea")).hot == (sea,)
        await client.unload(before.id)
        kept = await _only(client, "sea")
        assert (kept.hot, kept.warm) == ((), (sea,))
        assert home.run("engine", "stop").returncode == 0
    async with engine_in(home) as client:
        later = await _only(client, "sea")
        assert (later.warm, later.tokens) == (kept.warm, kept.tokens)


async def test_an_answer_in_flight_is_not_waited_for(home: Home) -> None:
    async with engine_in(home) as client:
        sea, _ = await _answer(client, "SmolLM2", "sea", SEA)
        request = _request("SmolLM2", "sea", SEA, ENDLESS)
        await client.generate(request)
        async for numbered in client.follow(request.id):
            if isinstance(numbered.event, Delta):
                break
        assert (await _only(client, "sea")).hot == (sea,), "what was known before"
        assert (await client.info()).generations[0].state is GenerationState.DECODING
        await client.cancel(request.id)


async def test_a_cache_that_cannot_be_cut_anywhere_says_so(home: Home, starter_model: Path) -> None:
    tiny.write_speller(home.paths.models / "speller.gguf")
    async with engine_in(home) as client:
        for model in ("speller", "SmolLM2"):
            await _answer(client, model, "sea", "Hello " * 20)
        kept = await _kept(client, "sea")
        assert {name: each.cuts_anywhere for name, each in kept.items() if each.hot} == {
            "speller": False,
            starter_model.stem: True,
        }
