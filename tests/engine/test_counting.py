"""Conversations are counted for any model, before and after it is loaded, and while it answers."""

from __future__ import annotations

import pytest

from tests.engine.support import GREEDY, LONG, ask, engine_in
from tests.homes import Home
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import ProblemCode, Role, Sampling
from tui_chat.client.errors import EngineError
from tui_chat.wire.api import CountRequest, GenerateRequest, GenerationState, Turn
from tui_chat.wire.events import Delta, Settled

TURNS = (Turn(Role.USER, LONG), Turn(Role.ASSISTANT, "Whales."), Turn(Role.USER, "Go on."))
STORY = (Turn(Role.USER, "Write a long story about a lighthouse keeper and the sea."),)


async def test_a_count_before_the_first_load_is_what_the_model_then_reads(home: Home) -> None:
    async with engine_in(home) as client:
        before = await client.count(CountRequest("SmolLM2", TURNS))
        assert home.worker() is None
        assert before.total > sum(before.turns) > 150
        request = GenerateRequest(id=new_id(), model="SmolLM2", turns=TURNS, sampling=GREEDY)
        await client.generate(request)
        end = [numbered.event async for numbered in client.follow(request.id)][-1]
        assert isinstance(end, Settled)
        assert end.usage.prompt_tokens == before.total
        assert await client.count(CountRequest("SmolLM2", TURNS)) == before


async def test_a_count_does_not_wait_for_the_answer(home: Home) -> None:
    async with engine_in(home) as client:
        request = GenerateRequest(
            id=new_id(), model="SmolLM2", turns=STORY, sampling=Sampling(temperature=0, max_tokens=1000)
        )
        await client.generate(request)
        async for numbered in client.follow(request.id):
            if isinstance(numbered.event, Delta):
                break
        assert (await client.count(CountRequest("SmolLM2", TURNS))).total
        assert (await client.info()).generations[0].state is GenerationState.DECODING
        await client.cancel(request.id)


async def test_what_cannot_be_counted_is_an_error_that_hurts_nobody(home: Home) -> None:
    (home.paths.models / "notes.gguf").write_bytes(b"these are only my notes, not a model")
    codes = {"notes": ProblemCode.MODEL_INVALID, "no-such-model": ProblemCode.MODEL_UNKNOWN}
    async with engine_in(home) as client:
        for model, code in codes.items():
            with pytest.raises(EngineError) as caught:
                await client.count(CountRequest(model, TURNS))
            assert caught.value.problem.code is code
        assert (await ask(client, "SmolLM2", "Hi")).usage.completion_tokens
