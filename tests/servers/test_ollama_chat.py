"""Talking to Ollama, through its own client: what is sent, what is heard, and what is made of the end."""

from __future__ import annotations

import asyncio
import base64
from contextlib import aclosing

import pytest

from tests.servers.ollama_support import (
    CALM,
    QUESTION,
    TINY,
    hear,
    listed,
    loaded,
    standing_in,
    talking,
    thought,
)
from tests.servers.small_ollama import Model, words
from tests.worker.support import eventually, user
from tui_chat.backends.protocol import Begun
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Waiting
from tui_chat.wire.pictures import Picture
from tui_chat.wire.servers import ServedModel

WISE = Model("wise:1b", capabilities=("completion", "thinking", "vision"), thinking="Let me see. Air.")
RUNNER = {"num_ctx": 2048, "num_batch": 512, "num_gpu": 31}


async def test_an_answer_is_heard_as_it_is_told_and_ends_with_the_servers_counts() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        heard = await hear(model)
        settled = heard.settled
        assert heard.text == stand_in.world.models[TINY].answer
        assert settled.finish is FinishReason.STOP
        assert settled.problem is None
        count = len(words(heard.text))
        assert (settled.usage.prompt_tokens, settled.usage.completion_tokens) == (5 + 4, count)
        assert not settled.usage.estimated
        assert settled.timings.decode_tps == pytest.approx(1000)  # n tokens take n - 1 steps of 1 ms
        assert settled.timings.prefill_ms == 9.0
        assert settled.fingerprint == stand_in.world.models[TINY].digest
        assert heard.events[0] == Waiting("ollama")


async def test_a_prompt_that_was_read_before_shows_no_speed() -> None:
    """Its count is of the whole, and its time of the rest."""
    async with standing_in() as (_, server):
        model = await loaded(server)
        first = await hear(model)
        turns = (*QUESTION, Turn(Role.ASSISTANT, first.text), *user("Why?"))
        assert (await hear(model, turns)).settled.timings.prefill_ms == 0.0


async def test_one_token_has_no_speed_and_zeros_are_left_out() -> None:
    async with standing_in(Model(TINY, answer="Yes")) as (_, server):
        settled = (await hear(await loaded(server))).settled
        assert settled.usage.completion_tokens == 1
        assert settled.timings.decode_tps is None


async def test_what_is_drawn_with_is_sent_whole_with_the_options_of_the_load() -> None:
    sampling = Sampling(
        temperature=0.5, top_k=7, top_p=0.8, min_p=0.02, repeat_penalty=1.1, frequency_penalty=0.1,
        presence_penalty=0.2, penalty_last_n=32, seed=42, max_tokens=3,
    )  # fmt: skip
    async with standing_in() as (stand_in, server):
        settled = (await hear(await loaded(server, keep_alive_s=120), sampling=sampling)).settled
        assert settled.finish is FinishReason.LENGTH
        assert settled.problem is None
        (load,), (chat,) = stand_in.asked("/api/generate"), stand_in.asked("/api/chat")
        assert load["options"] == RUNNER
        assert chat["options"] == RUNNER | {
            "temperature": 0.5, "top_k": 7, "top_p": 0.8, "min_p": 0.02, "repeat_penalty": 1.1,
            "frequency_penalty": 0.1, "presence_penalty": 0.2, "repeat_last_n": 32, "seed": 42,
            "num_predict": 3,
        }  # fmt: skip
        assert (load["keep_alive"], chat["keep_alive"]) == (120, 120)
        assert (chat["truncate"], chat["shift"], load["shift"]) == (False, False, False)
        assert "think" not in chat
        assert stand_in.world.loads == [(TINY, RUNNER)]


async def test_our_stop_strings_join_the_models_own() -> None:
    stops = 'stop                      "<|im_end|>"\nstop                      "\\n\\n"\ntemperature 0.2'
    async with standing_in(Model(TINY, parameters=stops)) as (stand_in, server):
        model = await loaded(server)
        heard = await hear(model, sampling=Sampling(stop=("because",)))
        await hear(model)
        assert heard.text == "The sky is blue "
        first, second = (chat["options"] for chat in stand_in.asked("/api/chat"))
        assert first["stop"] == ["because", "<|im_end|>", "\n\n"]
        assert "stop" not in second


async def test_thinking_is_asked_for_where_it_can_be_had_and_kept_apart() -> None:
    async with standing_in(WISE) as (stand_in, server):
        model = await loaded(server, WISE.name)
        heard = await hear(model)
        assert model.description.can_think
        assert (thought(heard), heard.text) == (WISE.thinking, WISE.answer)
        assert stand_in.asked("/api/chat")[0]["think"] is True
        assert heard.settled.usage.completion_tokens == sum(delta.tokens for delta in heard.deltas)


async def test_an_answer_goes_on_where_it_stopped() -> None:
    async with standing_in(WISE) as (stand_in, server):
        heard = await hear(await loaded(server, WISE.name), begun=Begun("The sky is ", "Hm."))
        assert heard.text == WISE.answer.removeprefix("The sky is ")
        last = stand_in.asked("/api/chat")[0]["messages"][-1]
        assert last == {"role": "assistant", "content": "The sky is ", "thinking": "Hm."}


async def test_pictures_are_sent_to_models_that_see_and_to_no_other() -> None:
    seen = (Turn(Role.USER, "What is this?", pictures=(Picture("image/png", b"\x89PNG\x00"),)),)
    async with standing_in(WISE, Model(TINY)) as (stand_in, server):
        await hear(await loaded(server, WISE.name), seen)
        (message,) = stand_in.asked("/api/chat")[0]["messages"]
        assert [base64.b64decode(image) for image in message["images"]] == [b"\x89PNG\x00"]
        refused = (await hear(await loaded(server), seen)).settled
        assert refused.problem is not None
        assert refused.problem.code is ProblemCode.NOT_POSSIBLE
        assert len(stand_in.asked("/api/chat")) == 1


async def test_a_conversation_too_long_is_refused_and_never_cut() -> None:
    async with standing_in() as (stand_in, server):
        settled = (await hear(await loaded(server), user("word " * 3000))).settled
        assert settled.finish is FinishReason.CONTEXT_OVERFLOW
        assert settled.problem is not None
        assert settled.problem.code is ProblemCode.CONTEXT_OVERFLOW
        assert "3004 tokens" in settled.problem.what
        assert "2048" in settled.problem.what
        assert "{" not in settled.problem.what
        assert stand_in.world.cancelled == []


async def test_a_cut_by_an_old_server_is_found_out() -> None:
    async def at_least(_: ServedModel, turns: tuple[Turn, ...]) -> int:
        return sum(len(turn.text.split()) for turn in turns)

    turns = (*user("word " * 1900), Turn(Role.ASSISTANT, "I see."), *user("Why is the sky blue? " * 50))
    async with standing_in(version="0.12.5", more={"count_at_least": at_least}) as (_, server):
        model = await loaded(server)
        cut, whole = (await hear(model, turns)).settled, (await hear(model)).settled
        assert cut.finish is FinishReason.STOP
        assert cut.problem is not None
        assert cut.problem.code is ProblemCode.PROMPT_CUT
        assert "read 260 tokens" in cut.problem.what
        assert "2,152" in cut.problem.what
        assert whole.problem is None
        assert any("without a word" in note for note in server.info.notes)


async def test_a_full_context_ends_the_answer_and_says_so() -> None:
    async with standing_in(Model(TINY, answer="on " * 300)) as (_, server):
        settled = (await hear(await loaded(server), user("word " * 1900), Sampling())).settled
        assert settled.finish is FinishReason.LENGTH
        assert settled.problem is not None
        assert "context of 2,048 tokens is full" in settled.problem.what


async def test_questions_never_load_the_model_anew() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        for sampling in (CALM, Sampling(), Sampling(max_tokens=2, stop=("x",)), Sampling(top_k=3)):
            await hear(model, sampling=sampling)
        await server.look()
        await hear(server.attach(listed(server)))
        assert stand_in.world.loads == [(TINY, RUNNER)]


async def test_a_model_that_others_have_loaded_is_asked_as_it_is() -> None:
    async with standing_in() as (stand_in, server):
        other = stand_in.world.models[TINY]
        runner = await stand_in.world.take(other, {"options": {"num_ctx": 1024}}, lambda: False)
        stand_in.world.release_runner(runner)
        await server.look()
        model = server.attach(listed(server))
        assert model.description.context == 1024
        await hear(model)
        assert len(stand_in.world.loads) == 1
        assert "keep_alive" not in stand_in.asked("/api/chat")[0]


async def test_cancelling_hangs_up_at_once_and_keeps_the_text() -> None:
    async with standing_in(hold_after=4) as (stand_in, server):
        model = await loaded(server)
        heard = []
        async for event in model.generate("one", QUESTION, CALM):
            heard.append(event)
            if len([each for each in heard if isinstance(each, Delta)]) == 4:
                model.cancel("one")
        assert heard[-1].finish is FinishReason.CANCELLED
        assert heard[-1].problem is None
        assert "".join(each.text for each in heard if isinstance(each, Delta)) == "The sky is blue "
        await eventually(lambda: stand_in.world.cancelled == ["chat"])


async def test_leaving_an_answer_hangs_up() -> None:
    async with standing_in(hold_after=1) as (stand_in, server):
        async with aclosing((await loaded(server)).generate("one", QUESTION, CALM)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    break
        await eventually(lambda: stand_in.world.cancelled == ["chat"])


async def test_a_second_question_waits_its_turn_and_says_that_nothing_is_loading() -> None:
    async with standing_in(hold_after=2) as (stand_in, server):
        model = await loaded(server)
        both = asyncio.gather(hear(model), hear(model))
        await eventually(lambda: len(stand_in.asked("/api/chat")) == 2)
        stand_in.world.hold_after = None
        first, second = await both
        assert first.text == second.text == stand_in.world.models[TINY].answer
        assert second.events[0] == Waiting("ollama")


async def test_the_last_line_may_bring_text() -> None:
    last = {"done": True, "message": {"role": "assistant", "content": " end."}}
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        stand_in.play("/api/chat", *talking(TINY, "The"), last)
        heard = await hear(model)
        assert heard.text == "The end."
        assert heard.settled.finish is FinishReason.STOP
        assert heard.settled.usage.estimated
