"""Each kind of server in its own words: what it lists, what it is sent, and what it is asked to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import msgspec
import pytest

from tests.servers.openai_kinds import (
    KINDS,
    LlamaSwapStandIn,
    LMStudioStandIn,
    RouterStandIn,
    SGLangStandIn,
    TextGenStandIn,
    VLLMStandIn,
)
from tests.servers.openai_stand_in import CONTEXT, GREETING, MODEL, OTHER, OpenAIStandIn
from tests.servers.support import model_at, server_at
from tests.worker.support import BRIEF, COUNT, ENDLESS, GREEDY, eventually, hear, user
from tui_chat.backends.openai.server import OpenAIServer
from tui_chat.backends.protocol import BackendError, Begun
from tui_chat.backends.servers.failures import ServerError
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Waiting
from tui_chat.wire.pictures import Picture
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import Activity, Capability, ServedModel, ServerState

ALL = Sampling(
    temperature=0.5,
    top_k=7,
    top_p=0.8,
    min_p=0.1,
    repeat_penalty=1.2,
    frequency_penalty=0.3,
    presence_penalty=0.4,
    penalty_last_n=32,
    seed=11,
    max_tokens=5,
    stop=("x", "y"),
)
COMMON = {
    "temperature": 0.5,
    "top_p": 0.8,
    "frequency_penalty": 0.3,
    "presence_penalty": 0.4,
    "seed": 11,
    "max_tokens": 5,
    "stop": ["x", "y"],
}
MORE = {
    "openai": {"top_k": 7, "min_p": 0.1},
    "vllm": {"top_k": 7, "min_p": 0.1, "repetition_penalty": 1.2},
    "sglang": {"top_k": 7, "min_p": 0.1, "repetition_penalty": 1.2},
    "lmstudio": {"top_k": 7, "repeat_penalty": 1.2},
    "textgen": {"top_k": 7, "min_p": 0.1, "repetition_penalty": 1.2, "repetition_penalty_range": 32},
    "llama-swap": {"top_k": 7, "min_p": 0.1, "repeat_penalty": 1.2, "repeat_last_n": 32},
    "router": {"top_k": 7, "min_p": 0.1, "repeat_penalty": 1.2, "repeat_last_n": 32},
}
BESIDE = (
    "model",
    "messages",
    "stream",
    "stream_options",
    "timings_per_token",
    "return_progress",
    "cache_prompt",
)

Start = Callable[[type[OpenAIStandIn]], OpenAIStandIn]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a stand-in that ends with the test."""
    with ExitStack() as stack:

        def started(kind: type[OpenAIStandIn]) -> OpenAIStandIn:
            server = kind()
            stack.callback(server.close)
            return server

        yield started


def looked_at(stand_in: OpenAIStandIn) -> AsyncIterator[OpenAIServer]:
    return server_at(stand_in.url, stand_in.kind)


def talked_to(stand_in: OpenAIStandIn, name: str = MODEL):
    return model_at(stand_in.url, stand_in.kind, name)


def named(server: OpenAIServer, name: str) -> ServedModel:
    return next(model for model in server.info.models if model.name == name)


@pytest.mark.parametrize("name", KINDS)
async def test_all_that_was_set_is_sent_in_its_words(start: Start, name: str) -> None:
    stand_in = start(KINDS[name])
    async with talked_to(stand_in) as model:
        await hear(model, (Turn(Role.SYSTEM, "Be brief."), *user("Hi")), ALL)
    (sent,) = stand_in.chats
    assert {field: value for field, value in sent.items() if field not in BESIDE} == COMMON | MORE[name]
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert sent["stream_options"]["include_usage"] is True


@pytest.mark.parametrize("name", KINDS)
async def test_whole_characters_and_thoughts_of_any_name(start: Start, name: str) -> None:
    stand_in = start(KINDS[name])
    stand_in.thinks = "Hm, 日本."
    async with talked_to(stand_in) as model:
        heard = await hear(model, "Hi", GREEDY)
    assert heard.text == GREETING
    assert "".join(delta.text for delta in heard.deltas).startswith(stand_in.thinks)
    assert heard.settled.finish is FinishReason.STOP
    assert heard.settled.timings.thinking_ms >= 0


@pytest.mark.parametrize("name", ["vllm", "sglang", "router", "llama-swap"])
async def test_an_answer_goes_on_in_its_words(start: Start, name: str) -> None:
    stand_in = start(KINDS[name])
    async with talked_to(stand_in) as model:
        heard = await hear(model, "Hi", GREEDY, begun=Begun("Héllo wörld"))
    assert "Héllo wörld" + heard.text == GREETING
    assert stand_in.chats[0]["messages"][-1] == {"role": "assistant", "content": "Héllo wörld"}


@pytest.mark.parametrize("name", KINDS)
async def test_a_cancelled_answer_is_no_longer_written(start: Start, name: str) -> None:
    stand_in = start(KINDS[name])
    async with talked_to(stand_in) as model:
        events = model.generate("answer", user(COUNT), ENDLESS)
        async for event in events:
            if isinstance(event, Delta):
                model.cancel("answer")
        await eventually(lambda: stand_in.running == 0)


async def test_a_refused_field_is_left_out_from_then_on(start: Start) -> None:
    stand_in = start(OpenAIStandIn)
    stand_in.refused = {"min_p", "stream_options"}
    async with server_at(stand_in.url, stand_in.kind) as server:
        model = server.attach(named(server, MODEL))
        heard = await hear(model, "Hi", msgspec.structs.replace(GREEDY, min_p=0.2))
        assert heard.text == GREETING
        assert heard.settled.problem is not None
        assert "min_p" in heard.settled.problem.what
        assert heard.settled.usage.estimated  # nobody told any numbers
        asked = len(stand_in.chats)
        again = await hear(model, "Hi", GREEDY)
        assert len(stand_in.chats) == asked + 1
        assert again.settled.problem is None  # nothing that anybody had set
        assert "min_p" in " ".join((await server.look()).notes)


async def test_a_limit_goes_by_its_newer_name_where_the_older_is_refused(start: Start) -> None:
    stand_in = start(OpenAIStandIn)
    stand_in.refused = {"max_tokens"}
    async with talked_to(stand_in) as model:
        heard = await hear(model, "Hi", BRIEF)
    assert stand_in.chats[-1]["max_completion_tokens"] == BRIEF.max_tokens
    assert heard.settled.problem is None


async def test_what_is_wrong_with_a_question_is_not_put_down_to_fields(start: Start) -> None:
    stand_in = start(OpenAIStandIn)
    stand_in.refused = {"messages"}
    async with talked_to(stand_in) as model:
        heard = await hear(model, "Hi", GREEDY)
        assert heard.settled.problem is not None
        assert heard.settled.problem.code is ProblemCode.BAD_REQUEST
        stand_in.refused = set()
        await hear(model, "Hi", GREEDY)
    assert "stream_options" in stand_in.chats[-1]


@pytest.mark.parametrize("name", KINDS)
async def test_an_error_in_the_middle_keeps_the_text(start: Start, name: str) -> None:
    stand_in = start(KINDS[name])
    stand_in.fails = "The GPU fell out"
    async with talked_to(stand_in) as model:
        heard = await hear(model, COUNT, GREEDY)
    assert heard.text == "1, 2, 3,"
    assert heard.settled.finish is FinishReason.BACKEND_ERROR
    assert heard.settled.problem is not None
    assert "The GPU fell out" in heard.settled.problem.what


async def test_a_tool_is_not_called_and_that_is_said(start: Start) -> None:
    stand_in = start(VLLMStandIn)
    stand_in.tool = "search"
    async with talked_to(stand_in) as model:
        heard = await hear(model, "Hi", GREEDY)
    assert heard.settled.finish is FinishReason.STOP
    assert heard.settled.problem is not None
    assert "search" in heard.settled.problem.what


async def test_pictures_go_to_those_that_see(start: Start) -> None:
    stand_in = start(LMStudioStandIn)
    turns = (Turn(Role.USER, "What is it?", pictures=(Picture("image/png", b"\x00\x01"),)),)
    async with server_at(stand_in.url, stand_in.kind) as server:
        blind = await hear(server.attach(named(server, MODEL)), turns, BRIEF)
        assert blind.settled.problem is not None
        assert blind.settled.problem.code is ProblemCode.NOT_POSSIBLE
        assert stand_in.chats == []
        assert Capability.PERHAPS_VISION not in named(server, MODEL).capabilities, "it tells which see"
        await hear(server.attach(named(server, OTHER)), turns, BRIEF)
    (sent,) = stand_in.chats
    assert sent["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAE="}},
        {"type": "text", "text": "What is it?"},
    ]


async def test_vllm(start: Start) -> None:
    stand_in = start(VLLMStandIn)
    async with looked_at(stand_in) as server:
        info = server.info
        assert (info.version, info.router, named(server, MODEL).context) == ("0.11.2", False, CONTEXT)
        assert info.activity == Activity(running=0, waiting=0, kv_used=0.25)
        assert Capability.PERHAPS_VISION in named(server, MODEL).capabilities, "it does not tell"
        heard = await hear(server.attach(named(server, MODEL)), COUNT, BRIEF)
        assert heard.prefills[0].total == heard.settled.usage.prompt_tokens
        again = (await server.look()).activity
        assert again is not None
        assert again.read_tps
        assert again.written_tps
        with pytest.raises(ServerError) as refused:
            await server.unload(MODEL)
        assert refused.value.problem.code is ProblemCode.NOT_POSSIBLE


async def test_sglang(start: Start) -> None:
    stand_in = start(SGLangStandIn)
    async with looked_at(stand_in) as server:
        assert server.info.version == "0.5.6"
        assert Capability.VISION in named(server, MODEL).capabilities
        assert server.info.activity == Activity(running=0, waiting=0, kv_used=0.5, written_tps=12.5)
        assert await server.attach(named(server, MODEL)).tokenize("one two three") == 3


async def test_lm_studio_loads_and_unloads(start: Start) -> None:
    stand_in = start(LMStudioStandIn)
    async with looked_at(stand_in) as server:
        listed = named(server, OTHER)
        assert (listed.loaded, listed.context, listed.trained_context) == (False, 0, 8192)
        model = await server.load(listed, LoadOptions(context=1234), None, lambda _: None)
        assert stand_in.http.asked("/api/v1/models/load")[0].body == {"model": OTHER, "context_length": 1234}
        assert model.description.context == CONTEXT
        await server.unload(OTHER)
        assert not named(server, OTHER).loaded


async def test_an_older_lm_studio_is_only_listed(start: Start) -> None:
    stand_in = start(LMStudioStandIn)
    stand_in.old = True
    async with looked_at(stand_in) as server:
        assert not server.info.router
        assert (named(server, MODEL).loaded, named(server, OTHER).loaded) == (True, False)
        assert Capability.VISION in named(server, OTHER).capabilities
        with pytest.raises(ServerError):
            await server.unload(MODEL)
        await server.attach(named(server, MODEL)).close()  # no harm done


async def test_text_generation_webui(start: Start) -> None:
    stand_in = start(TextGenStandIn)
    async with server_at(stand_in.url, stand_in.kind, context=4096) as server:
        assert [model.name for model in server.info.models] == [MODEL, OTHER]
        assert named(server, MODEL).context == 4096  # as the settings say
        await server.load(named(server, OTHER), None, None, lambda _: None)
        assert (named(server, MODEL).loaded, named(server, OTHER).loaded) == (False, True)
        await server.unload(OTHER)
        assert stand_in.loaded == set()


async def test_llama_swap(start: Start) -> None:
    stand_in = start(LlamaSwapStandIn)
    async with looked_at(stand_in) as server:
        assert (server.info.version, server.info.router) == ("v170", True)
        assert (named(server, MODEL).context, named(server, OTHER).loaded) == (CONTEXT, False)
        other = server.attach(named(server, OTHER))
        with pytest.raises(BackendError) as refused:
            await other.count(user("Hi"))  # to count would load it
        assert refused.value.problem.code is ProblemCode.NOT_POSSIBLE
        heard = await hear(other, "Hi", BRIEF)
        assert isinstance(heard.events[0], Waiting)
        assert heard.events[0].loading
        assert (await other.count(user("Hi"))).total == heard.settled.usage.prompt_tokens
        await server.unload(OTHER)
        assert stand_in.loaded == {MODEL}


async def test_a_router_loads_with_progress(start: Start) -> None:
    stand_in = start(RouterStandIn)
    async with looked_at(stand_in) as server:
        assert server.info.router
        told: list[float] = []
        model = await server.load(named(server, OTHER), None, None, told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0
        assert model.description.context == CONTEXT
        await model.close()
        assert stand_in.loaded == {MODEL}


async def test_a_router_says_why_it_could_not_load(start: Start) -> None:
    stand_in = start(RouterStandIn)
    stand_in.breaks = frozenset((OTHER,))
    async with looked_at(stand_in) as server:
        with pytest.raises(ServerError) as failed:
            await server.load(named(server, OTHER), None, None, lambda _: None)
        assert failed.value.finish is FinishReason.LOAD_FAILED
        assert "status 1" in failed.value.problem.what
        with pytest.raises(ServerError) as unknown:
            await server.load(ServedModel(name="nope"), None, None, lambda _: None)
        assert unknown.value.problem.code is ProblemCode.MODEL_UNKNOWN


async def test_a_cancelled_load_is_taken_back(start: Start) -> None:
    stand_in = start(RouterStandIn)
    async with looked_at(stand_in) as server:
        loading = asyncio.create_task(server.load(named(server, OTHER), None, None, lambda _: None))
        await eventually(lambda: OTHER in stand_in.progress)
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await eventually(lambda: OTHER not in stand_in.progress and OTHER not in stand_in.loaded)


async def test_a_model_that_answers_somebody_is_not_unloaded(start: Start) -> None:
    stand_in = start(RouterStandIn)
    async with looked_at(stand_in) as server:
        model = server.attach(named(server, MODEL))
        events = model.generate("answer", user(COUNT), ENDLESS)
        async for event in events:
            if isinstance(event, Delta):
                break
        with pytest.raises(ServerError) as busy:
            await server.unload(MODEL)
        assert busy.value.problem.code is ProblemCode.SERVER_BUSY
        assert MODEL in stand_in.loaded
        await events.aclose()
        await server.unload(MODEL)
        assert MODEL not in stand_in.loaded


async def test_a_server_that_is_gone_lists_what_it_had() -> None:
    stand_in = VLLMStandIn()
    async with looked_at(stand_in) as server:
        stand_in.close()
        info = await server.look()
        assert (info.state, [model.name for model in info.models]) == (ServerState.DOWN, [MODEL])
        assert info.problem is not None
        assert info.problem.code is ProblemCode.SERVER_UNREACHABLE
