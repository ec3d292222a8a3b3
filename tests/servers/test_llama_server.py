"""llama-server, the real one: what comes of each of its verbs, and what is kept when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from tests.servers.llama_server import CONTEXT, NAME, LlamaServerProcess
from tests.servers.support import model_at, server_at
from tests.worker.support import BRIEF, COUNT, ENDLESS, GREEDY, eventually, hear, long_text, user
from tui_chat.backends.openai.server import OpenAIServer
from tui_chat.backends.protocol import BackendError, Begun
from tui_chat.backends.servers.model import ServedModel
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Event, Prefill, Waiting
from tui_chat.wire.pictures import Picture
from tui_chat.wire.servers import Capability, ServerKind, ServerState
from tui_chat.wire.servers import ServedModel as Listed

KIND = ServerKind.LLAMA_SERVER


@pytest.fixture
async def model(llama_server: LlamaServerProcess) -> AsyncIterator[ServedModel]:
    async with model_at(llama_server.url, KIND) as model:
        yield model


@pytest.fixture
async def server(llama_server: LlamaServerProcess) -> AsyncIterator[OpenAIServer]:
    async with server_at(llama_server.url, KIND) as server:
        yield server


def after(deltas: int, act: Callable[[], None]) -> Callable[[Event], None]:
    """Have `act` done once, when so many pieces have come."""
    left = [deltas]

    def on_event(event: Event) -> None:
        if isinstance(event, Delta):
            left[0] -= 1
            if left[0] == 0:
                act()

    return on_event


async def test_it_is_seen_for_what_it_is(server: OpenAIServer, starter_model: Path) -> None:
    info = server.info
    (listed,) = info.models
    assert (info.state, info.here, info.router, info.problem) == (ServerState.UP, True, False, None)
    assert (listed.name, listed.context, listed.trained_context) == (NAME, CONTEXT, 8192)
    assert (listed.loaded, listed.quant, listed.parameters) == (True, "Q4_1", 134_515_008)
    assert listed.blob == str(starter_model)
    assert Capability.VISION not in listed.capabilities
    assert info.version
    assert info.activity is not None
    assert (info.activity.running, info.activity.waiting) == (0, 0)


async def test_an_answer_comes_in_tokens_with_the_servers_own_account(model: ServedModel) -> None:
    heard = await hear(model, "Say hello.", GREEDY)
    settled = heard.settled
    assert isinstance(heard.events[0], Waiting)
    assert not heard.events[0].loading
    silent = settled.usage.completion_tokens - sum(delta.tokens for delta in heard.deltas)
    assert silent == 1  # the token that ends it has no text
    assert not settled.usage.estimated
    assert heard.prefills[-1].done == heard.prefills[-1].total == settled.usage.prompt_tokens
    assert settled.timings.prefill_ms > 0
    assert settled.timings.decode_tps
    assert model.description.backend.startswith("llama-server")


async def test_what_was_read_before_is_reused_and_said(model: ServedModel) -> None:
    question = f"{long_text(300)} What is that?"
    first = await hear(model, question, BRIEF)
    again = await hear(model, question, BRIEF)
    assert again.settled.usage.reused_tokens > first.settled.usage.reused_tokens
    assert again.prefills[0].reused == again.settled.usage.reused_tokens
    assert len(first.prefills) > 1  # a long prompt is seen being read


async def test_a_stop_string_ends_it_and_is_not_shown(model: ServedModel) -> None:
    heard = await hear(model, COUNT, msgspec.structs.replace(GREEDY, max_tokens=100, stop=(", 4",)))
    assert heard.settled.finish is FinishReason.STOP
    assert heard.text.endswith("3")


async def test_a_limit_is_a_length(model: ServedModel) -> None:
    heard = await hear(model, COUNT, BRIEF)
    assert heard.settled.finish is FinishReason.LENGTH
    assert heard.settled.usage.completion_tokens == BRIEF.max_tokens


async def test_the_same_seed_draws_the_same(model: ServedModel) -> None:
    drawn = Sampling(temperature=1.5, seed=7, max_tokens=12, top_k=50, min_p=0.0, repeat_penalty=1.1)
    other = msgspec.structs.replace(drawn, seed=8)
    texts = [(await hear(model, "Tell a story.", sampling)).text for sampling in (drawn, drawn, other)]
    assert texts[0] == texts[1] != texts[2]


async def test_a_conversation_that_is_too_long_is_refused_whole(model: ServedModel) -> None:
    heard = await hear(model, long_text(3 * CONTEXT), BRIEF)
    settled = heard.settled
    assert settled.finish is FinishReason.CONTEXT_OVERFLOW
    assert settled.problem is not None
    assert settled.problem.code is ProblemCode.CONTEXT_OVERFLOW
    assert str(CONTEXT) in settled.problem.what
    assert heard.text == ""
    assert (await hear(model, "Say hello.", BRIEF)).text


async def test_a_cancelled_answer_leaves_its_slot(
    model: ServedModel, llama_server: LlamaServerProcess
) -> None:
    heard = await hear(model, COUNT, ENDLESS, after(5, lambda: model.cancel("answer")))
    assert heard.settled.finish is FinishReason.CANCELLED
    assert heard.settled.problem is None
    assert heard.text
    assert heard.settled.usage.completion_tokens == sum(delta.tokens for delta in heard.deltas)
    assert heard.settled.usage.prompt_tokens == heard.prefills[-1].total
    await eventually(lambda: llama_server.busy() == 0)


async def test_leaving_an_answer_leaves_its_slot(
    model: ServedModel, llama_server: LlamaServerProcess
) -> None:
    events = model.generate("answer", user(COUNT), ENDLESS)
    async for event in events:
        if isinstance(event, Delta):
            break
    assert llama_server.busy() == 1
    await events.aclose()
    await eventually(lambda: llama_server.busy() == 0)


async def test_a_prompt_that_is_being_read_can_be_cancelled(
    model: ServedModel, llama_server: LlamaServerProcess
) -> None:
    def on_event(event: Event) -> None:
        if isinstance(event, Prefill) and event.done < event.total:
            model.cancel("answer")

    heard = await hear(model, f"Once: {long_text(900)}", ENDLESS, on_event)
    assert heard.settled.finish is FinishReason.CANCELLED
    assert not heard.deltas
    await eventually(lambda: llama_server.busy() == 0)


@pytest.mark.parametrize(
    "turns",
    [
        user("Say hello."),
        (Turn(Role.SYSTEM, "Be brief."), *user("né 👩‍👩‍👧 日本")),
        (
            *user("One?"),
            Turn(Role.ASSISTANT, " Two. "),
            *user("```py\nx = 1\n```"),
        ),
        (*user("user"), Turn(Role.ASSISTANT, "assistant"), *user("user")),
    ],
)
async def test_counts_are_those_of_the_prompt(model: ServedModel, turns: tuple[Turn, ...]) -> None:
    count = await model.count(turns)
    heard = await hear(model, turns, BRIEF)
    assert count.total == heard.settled.usage.prompt_tokens
    asks = 4  # what SmolLM2's template writes for the answer to begin: <|im_start|>assistant and a line's end
    assert count.total - sum(count.turns) == asks
    assert all(count.turns)


async def test_tokens_are_those_of_the_text_alone(model: ServedModel) -> None:
    assert await model.tokenize("") == 0
    assert await model.tokenize("Hello") == 1
    assert await model.tokenize("<|im_end|>") > 1  # text that looks like a control token is text


async def test_an_answer_goes_on_where_it_stopped(model: ServedModel) -> None:
    whole = await hear(model, COUNT, msgspec.structs.replace(GREEDY, max_tokens=40))
    begun = whole.text[:20]
    more = await hear(model, COUNT, msgspec.structs.replace(GREEDY, max_tokens=20), begun=Begun(begun))
    assert whole.text.startswith(begun + more.text[:10])


async def test_a_thought_cannot_be_gone_on_with(model: ServedModel) -> None:
    heard = await hear(model, COUNT, BRIEF, begun=Begun(thinking="Well"))
    assert heard.settled.problem is not None
    assert heard.settled.problem.code is ProblemCode.NOT_POSSIBLE


async def test_two_answers_at_once(model: ServedModel) -> None:
    async def one(id: str) -> tuple[str, FinishReason]:
        text, finish = "", None
        async for event in model.generate(id, user(COUNT), GREEDY):
            text += event.text if isinstance(event, Delta) else ""
            finish = getattr(event, "finish", finish)
        assert finish is not None
        return text, finish

    first, second = await asyncio.gather(one("a"), one("b"))
    assert first[1] is second[1] is FinishReason.LENGTH
    assert first[0][:8] == second[0][:8]


async def test_a_model_that_cannot_see_is_shown_no_pictures(model: ServedModel) -> None:
    turns = (Turn(Role.USER, "What is that?", pictures=(Picture("image/png", b"\x89PNG"),)),)
    heard = await hear(model, turns, BRIEF)
    assert heard.settled.problem is not None
    assert heard.settled.problem.code is ProblemCode.NOT_POSSIBLE


async def test_it_says_what_it_is_doing(model: ServedModel, server: OpenAIServer) -> None:
    async def looks(count: int) -> None:
        while len(seen) < count:
            info = await server.look()
            assert info.activity is not None
            if info.activity.running and info.activity.written_tps:
                seen.append(info.activity)

    seen: list = []
    events = model.generate("answer", user(COUNT), ENDLESS)
    looking = None
    async for event in events:
        if isinstance(event, Delta) and looking is None:
            looking = asyncio.create_task(looks(1))
        if looking and looking.done():
            break
    await events.aclose()
    assert seen[0].running == 1
    assert 0 < seen[0].kv_used < 1


async def test_killed_in_the_middle_keeps_the_text(starter_model: Path) -> None:
    process = LlamaServerProcess(starter_model).wait()
    try:
        async with model_at(process.url, KIND) as model, server_at(process.url, KIND) as server:
            heard = await hear(model, COUNT, ENDLESS, after(5, process.kill))
            assert heard.settled.finish is FinishReason.INTERRUPTED
            assert heard.settled.problem is not None
            assert heard.settled.problem.code is ProblemCode.STREAM_BROKEN
            assert heard.text
            again = await hear(model, COUNT, BRIEF)
            assert again.settled.problem is not None
            assert again.settled.problem.code is ProblemCode.SERVER_UNREACHABLE
            assert (await server.look()).state is ServerState.DOWN
            assert [each.name for each in server.info.models] == [NAME]  # as it was last known
            with pytest.raises(BackendError):
                await model.tokenize("Hello")
    finally:
        process.close()


async def test_a_server_that_is_loading_is_waited_for(starter_model: Path) -> None:
    for _ in range(5):  # it may have loaded before anybody looks
        process = LlamaServerProcess(starter_model)
        try:
            async with server_at(process.url, KIND) as server:
                while server.info.state is ServerState.DOWN:
                    server.link.breaker.reset()
                    await server.look()
                if server.info.state is not ServerState.LOADING:
                    continue
                heard = await hear(server.attach(Listed(name=NAME)), "Say hello.", BRIEF)
                assert heard.settled.finish in (FinishReason.STOP, FinishReason.LENGTH)
                return
        finally:
            process.close()
    raise AssertionError("it was never seen loading")
