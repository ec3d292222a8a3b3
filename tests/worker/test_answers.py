"""Answers from the real model: streamed, reproducible, bounded, and counted right."""

from __future__ import annotations

import msgspec

from tests.worker.conftest import Loader
from tests.worker.support import COUNT, ENDLESS, GREEDY, hear, long_text, user
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.wire.api import Turn


async def test_an_answer_streams_and_is_accounted_for(loaded: Loader) -> None:
    model = await loaded()
    assert model.description.architecture == "llama"
    assert model.description.context == 2048
    assert model.description.trained_context == 8192
    assert model.description.load_ms > 0

    heard = await hear(model, COUNT)

    settled = heard.settled
    assert heard.text
    assert len(heard.deltas) > 1
    assert heard.deltas[0].tokens == 1
    assert sum(delta.tokens for delta in heard.deltas) == settled.usage.completion_tokens == 24
    assert settled.finish is FinishReason.LENGTH
    assert settled.problem is None
    assert settled.fingerprint == model.description.fingerprint
    assert settled.usage.prompt_tokens == heard.prefills[-1].total == heard.prefills[-1].done
    assert settled.timings.ttft_ms is not None
    assert settled.timings.ttft_ms >= settled.timings.prefill_ms > 0
    assert settled.timings.decode_tps is not None
    steps_per_s = 23 / settled.timings.decode_ms * 1e3
    assert abs(settled.timings.decode_tps - steps_per_s) < 0.01 * steps_per_s


async def test_greedy_repeats_itself_and_seeds_decide_otherwise(loaded: Loader) -> None:
    model = await loaded()
    warm = Sampling(temperature=1.2, max_tokens=24)
    first, again = await hear(model, COUNT), await hear(model, COUNT)
    assert first.text == again.text
    assert first.settled.seed is None

    drawn = await hear(model, COUNT, warm)
    other = await hear(model, COUNT, warm)
    assert drawn.settled.seed != other.settled.seed
    repeated = await hear(model, COUNT, msgspec.structs.replace(warm, seed=drawn.settled.seed))
    assert repeated.settled.seed == drawn.settled.seed
    assert repeated.text == drawn.text


async def test_penalties_change_the_answer(loaded: Loader) -> None:
    model = await loaded()
    plain = await hear(model, COUNT)
    penalised = await hear(model, COUNT, msgspec.structs.replace(GREEDY, repeat_penalty=1.8))
    assert plain.text != penalised.text


async def test_a_stop_string_ends_the_answer_across_tokens(loaded: Loader) -> None:
    model = await loaded()
    whole = (await hear(model, COUNT)).text
    for start, size in ((5, 9), (11, 4), (20, 15)):
        stop = whole[start : start + size]
        heard = await hear(model, COUNT, msgspec.structs.replace(GREEDY, stop=("never said", stop)))
        assert heard.text == whole[: whole.index(stop)]
        assert heard.settled.finish is FinishReason.STOP


async def test_random_tokens_of_every_script_arrive_as_valid_text(loaded: Loader) -> None:
    model = await loaded()
    wild = Sampling(temperature=8, top_k=0, top_p=1, min_p=0, max_tokens=50)
    said, seeds = "", iter(range(16))
    while not any(ord(letter) > 0x2FF for letter in said):  # what a seed draws is another on each processor
        seed = next(seeds)
        heard = await hear(model, "Say something.", msgspec.structs.replace(wild, seed=seed))
        assert all(delta.text.encode("utf-8") for delta in heard.deltas if delta.text)
        assert sum(delta.tokens for delta in heard.deltas) == heard.settled.usage.completion_tokens
        said += heard.text


async def test_a_follow_up_reuses_the_cache(loaded: Loader) -> None:
    """That the reused cache is right is `test_cache`'s business: other batch shapes round differently."""
    model = await loaded()
    first = await hear(model, "What is the capital of France?")
    follow_up = (
        *user("What is the capital of France?"),
        Turn(Role.ASSISTANT, first.text),
        *user("And what is the capital of Italy?"),
    )
    second = await hear(model, follow_up)
    assert second.settled.usage.reused_tokens >= first.settled.usage.prompt_tokens
    assert second.prefills[0].done == second.prefills[0].reused == second.settled.usage.reused_tokens

    again = await hear(model, follow_up)
    assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens
    assert again.text == second.text


async def test_a_long_prompt_reports_its_prefill(loaded: Loader) -> None:
    model = await loaded(ubatch=128)
    heard = await hear(model, long_text(300), Sampling(temperature=0, max_tokens=1))
    done = [prefill.done for prefill in heard.prefills]
    assert done == sorted(set(done))
    assert len(done) >= 3
    assert done[-1] == heard.settled.usage.prompt_tokens > 256
    assert heard.prefills[1].eta_s is not None


async def test_a_prompt_beyond_the_context_is_refused_before_any_work(loaded: Loader) -> None:
    model = await loaded(context=512)
    heard = await hear(model, long_text(900))
    settled = heard.settled
    assert [type(event) for event in heard.events] == [type(settled)]
    assert settled.finish is FinishReason.CONTEXT_OVERFLOW
    assert settled.problem is not None
    assert settled.problem.code is ProblemCode.CONTEXT_OVERFLOW
    assert "512" in settled.problem.what
    assert f"{settled.usage.prompt_tokens:,}" in settled.problem.what
    assert (await hear(model, COUNT)).text


async def test_an_answer_that_fills_the_context_says_so(loaded: Loader) -> None:
    model = await loaded(context=256)
    wild = Sampling(temperature=4, top_k=0, top_p=1, min_p=0, seed=1)
    heard = await hear(model, f"{COUNT} {long_text(200)}", wild)
    settled = heard.settled
    assert settled.finish is FinishReason.LENGTH
    assert settled.problem is not None
    assert settled.problem.code is ProblemCode.CONTEXT_OVERFLOW
    assert settled.usage.prompt_tokens + settled.usage.completion_tokens == 256 + 1
    assert (await hear(model, COUNT)).settled.usage.completion_tokens == 24


async def test_control_tokens_in_a_message_are_only_text(loaded: Loader) -> None:
    model = await loaded()
    name = "<|im_end|>"
    assert await model.tokenize(name) > 1
    plain = (await hear(model, "", Sampling(temperature=0, max_tokens=1))).settled.usage.prompt_tokens
    typed = (await hear(model, name, Sampling(temperature=0, max_tokens=1))).settled.usage.prompt_tokens
    assert typed - plain > 1


async def test_a_system_message_is_heard(loaded: Loader) -> None:
    model = await loaded()
    system = Turn(Role.SYSTEM, "You are a pirate. Say arr.")
    without, heard = await hear(model, COUNT), await hear(model, (system, *user(COUNT)))
    assert heard.settled.usage.prompt_tokens != without.settled.usage.prompt_tokens


async def test_no_turns_at_all_is_answered_with_something_settled(loaded: Loader) -> None:
    model = await loaded()
    heard = await hear(model, (), msgspec.structs.replace(ENDLESS, max_tokens=1))
    assert heard.settled.finish is not None
