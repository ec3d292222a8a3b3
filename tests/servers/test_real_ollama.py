"""Every verb against a real Ollama, wherever OLLAMA_HOST answers: ``pytest -n 0 -m ollama``.

A small model is made there from the starter model's file, under a name of our own, and deleted at the end.
With TUI_CHAT_OLLAMA_PULL=NAME, NAME is fetched too (and stays); with TUI_CHAT_OLLAMA_THINKING=NAME, that
model, which has to be there and to think, is asked a question.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio

from tests.servers.ollama_support import hear, loaded, server_at, thought
from tests.worker.support import GREEDY, user
from tui_chat.backends.ollama.listing import full_name
from tui_chat.backends.ollama.server import OllamaServer
from tui_chat.backends.protocol import Begun
from tui_chat.backends.servers.failures import ServerError
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.library.sources.ollama import weights_of
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import Capability, PullState, ServedModel, ServerState

NAME = f"tui-chat-test-{os.getpid()}:latest"
OPTIONS = LoadOptions(context=1024, ubatch=256)
"""On the CPU, with little memory: nobody else's model has to go for it."""
SKY = user("Why is the sky blue? Answer in one sentence.")
ENDLESS = Sampling(temperature=0, max_tokens=5000)


def address() -> str:
    """Where OLLAMA_HOST points, as Ollama itself reads it; a server's own 0.0.0.0 is this machine."""
    told = os.environ["OLLAMA_HOST"].strip()
    scheme, _, rest = told.rpartition("://")
    host, colon, port = rest.strip("/").rpartition(":") if ":" in rest else (rest.strip("/"), "", "")
    host = "127.0.0.1" if host in ("", "0.0.0.0", "[::]") else host
    return f"{scheme or 'http'}://{host}:{port if colon else '11434'}"


def answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return "version" in httpx.get(f"{url}/api/version", timeout=2, trust_env=False).text
    return False


pytestmark = [
    pytest.mark.ollama,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(starter_model: Path) -> AsyncIterator[OllamaServer]:
    """A server of ours for the real one, which has been given the starter model."""
    if not os.environ.get("OLLAMA_HOST"):
        pytest.skip("OLLAMA_HOST is not set, and nobody's Ollama is used unasked")
    url = address()
    if not answers(url):
        pytest.skip(f"no Ollama answers at {url}")
    ours = server_at(url, more={"find_blob": weights_of})
    told = [pull async for pull in ours.create(NAME, starter_model)]
    assert told[-1].state is PullState.DONE
    assert told[-1].done == told[-1].total == starter_model.stat().st_size
    assert (await ours.look()).state is ServerState.UP
    yield ours
    with suppress(ServerError):
        await ours.unload(NAME)
    with suppress(ServerError):
        await ours.delete(NAME)
    await ours.close()


def ours_of(server: OllamaServer) -> ServedModel:
    return next(model for model in server.info.models if model.name == NAME)


async def test_it_is_listed_with_what_it_can_do(server: OllamaServer, starter_model: Path) -> None:
    info = await server.look()
    model = ours_of(server)
    assert info.version
    assert info.problem is None
    assert Capability.CHAT in model.capabilities
    assert Capability.THINKING not in model.capabilities
    assert model.architecture == "llama"
    assert model.quant == "Q4_1"
    assert 130_000_000 < model.parameters < 140_000_000
    assert abs(model.size_bytes - starter_model.stat().st_size) < 1 << 20
    assert model.trained_context == 8192
    if model.blob:
        assert Path(model.blob).stat().st_size == starter_model.stat().st_size


async def test_it_is_shown(server: OllamaServer) -> None:
    card = await server.show(NAME)
    assert card.template or card.modelfile
    assert card.model.trained_context == 8192


async def test_it_is_loaded_and_unloaded(server: OllamaServer) -> None:
    model = await loaded(server, NAME, OPTIONS, 120)
    now = ours_of(server)
    assert now.loaded
    assert (now.context, model.description.context) == (1024, 1024)
    assert now.ram_bytes + now.vram_bytes > now.size_bytes // 2
    assert now.expires is not None
    await server.unload(NAME)
    await server.look()
    assert not ours_of(server).loaded
    await server.unload(NAME)


async def test_what_is_to_stay_stays(server: OllamaServer) -> None:
    await loaded(server, NAME, OPTIONS, -1)
    assert ours_of(server).loaded
    assert ours_of(server).expires is None
    await server.unload(NAME)


async def test_what_is_to_go_at_once_goes_after_its_answer(server: OllamaServer) -> None:
    model = await loaded(server, NAME, OPTIONS, 0)
    assert (await hear(model, SKY, GREEDY)).text
    async with asyncio.timeout(20):
        while True:
            await server.look()
            if not ours_of(server).loaded:
                return
            await asyncio.sleep(0.1)


async def test_it_answers_with_counts_and_times(server: OllamaServer) -> None:
    heard = await hear(await loaded(server, NAME, OPTIONS), SKY, GREEDY)
    settled = heard.settled
    assert settled.problem is None
    assert settled.finish in (FinishReason.STOP, FinishReason.LENGTH)
    assert heard.text.strip()
    assert settled.usage.prompt_tokens > 8
    assert 1 < settled.usage.completion_tokens <= GREEDY.max_tokens
    assert not settled.usage.estimated
    assert settled.timings.decode_tps is not None
    assert settled.timings.decode_tps < 100_000


async def test_all_that_is_drawn_with_is_taken_and_loads_nothing_anew(server: OllamaServer) -> None:
    model = await loaded(server, NAME, OPTIONS)
    full = Sampling(
        temperature=0.9, top_k=20, top_p=0.9, min_p=0.1, repeat_penalty=1.1, frequency_penalty=0.1,
        presence_penalty=0.1, penalty_last_n=32, seed=7, max_tokens=12, stop=("\n\n",),
    )  # fmt: skip
    settled = (await hear(model, SKY, full)).settled
    assert settled.problem is None
    assert settled.usage.completion_tokens <= 12
    await server.look()
    assert ours_of(server).context == 1024
    again = (await hear(server.attach(ours_of(server)), SKY, GREEDY)).settled
    assert again.problem is None
    assert again.timings.prefill_ms == 0.0  # nobody can tell how much of it was read before


async def test_stop_strings_stop(server: OllamaServer) -> None:
    model = await loaded(server, NAME, OPTIONS)
    heard = await hear(model, SKY, GREEDY)
    word = heard.text.split()[3]
    stopped = await hear(model, SKY, Sampling(temperature=0, max_tokens=GREEDY.max_tokens, stop=(word,)))
    assert stopped.settled.finish is FinishReason.STOP
    assert heard.text.startswith(stopped.text)
    assert word not in stopped.text


async def test_the_limit_of_an_answer_is_told(server: OllamaServer) -> None:
    settled = (await hear(await loaded(server, NAME, OPTIONS), SKY, Sampling(max_tokens=3))).settled
    assert settled.finish is FinishReason.LENGTH
    assert settled.problem is None
    assert settled.usage.completion_tokens == 3


async def test_an_answer_goes_on(server: OllamaServer) -> None:
    heard = await hear(await loaded(server, NAME, OPTIONS), SKY, GREEDY, begun=Begun("The sky is"))
    assert heard.settled.problem is None
    assert heard.text
    assert not heard.text.startswith("The sky is")


async def test_cancelling_in_the_middle_frees_the_model_at_once(server: OllamaServer) -> None:
    model = await loaded(server, NAME, OPTIONS)
    heard = []
    async for event in model.generate("endless", user("Count from 1 to 1000, with commas."), ENDLESS):
        heard.append(event)
        if isinstance(event, Delta):
            model.cancel("endless")
    assert heard[-1].finish is FinishReason.CANCELLED
    async with asyncio.timeout(20):  # it answers one at a time: this one has not to wait for 5,000 tokens
        assert (await hear(model, SKY, GREEDY)).settled.problem is None


async def test_leaving_a_load_stops_it_and_another_can_be_begun(server: OllamaServer) -> None:
    await server.unload(NAME)
    loading = asyncio.create_task(loaded(server, NAME, OPTIONS))
    await asyncio.wait({loading}, timeout=0.05)  # on its way, or over: both have to be well after that
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    assert (await loaded(server, NAME, OPTIONS)).description.context == 1024


async def test_a_conversation_too_long_is_refused_or_found_out(server: OllamaServer) -> None:
    """Refused since release 0.12.6, for one message that is too long and for several that are."""
    model = await loaded(server, NAME, OPTIONS)
    many = (*user("word " * 700), Turn(Role.ASSISTANT, "I see."), *user("And " * 500))
    for turns in (user("word " * 3000), many):
        settled = (await hear(model, turns, GREEDY)).settled
        assert settled.problem is not None, "it was cut, and nobody said so"
        assert settled.problem.code is ProblemCode.CONTEXT_OVERFLOW
        assert "{" not in settled.problem.what


async def test_a_full_context_ends_the_answer(server: OllamaServer) -> None:
    model = await loaded(server, NAME, LoadOptions(context=256, ubatch=256))
    settled = (await hear(model, user("Count from 1 to 1000, with commas."), ENDLESS)).settled
    if settled.finish is FinishReason.LENGTH:  # else it has stopped by itself, as small models may
        assert settled.problem is not None
        assert "is full" in settled.problem.what
        used = settled.usage.prompt_tokens + settled.usage.completion_tokens
        assert used <= 260, "it forgot the middle of its context"


async def test_thinking_is_refused_in_words_we_know(server: OllamaServer) -> None:
    await loaded(server, NAME, OPTIONS)
    wrong = msgspec.structs.replace(ours_of(server), capabilities=(Capability.CHAT, Capability.THINKING))
    problem = (await hear(server.attach(wrong), SKY, GREEDY)).settled.problem
    assert problem is not None
    assert problem.code is ProblemCode.NOT_POSSIBLE
    assert "thinking" in problem.what


async def test_a_model_that_is_not_there_is_unknown(server: OllamaServer) -> None:
    nobody = ServedModel(name="tui-chat-nosuch:latest")
    with pytest.raises(ServerError) as raised:
        await server.load(nobody, OPTIONS, None, lambda _: None)
    assert raised.value.problem.code is ProblemCode.MODEL_UNKNOWN
    problem = (await hear(server.attach(nobody), SKY, GREEDY)).settled.problem
    assert problem is not None
    assert problem.code is ProblemCode.MODEL_UNKNOWN


async def test_it_gets_a_second_name_and_loses_it(server: OllamaServer) -> None:
    second = NAME.replace(":latest", "-second:latest")
    await server.copy(NAME, second)
    await server.look()
    assert second in {model.name for model in server.info.models}
    await server.delete(second)
    await server.look()
    assert second not in {model.name for model in server.info.models}
    with pytest.raises(ServerError) as raised:
        await server.delete(second)
    assert raised.value.problem.code is ProblemCode.MODEL_UNKNOWN


async def test_fetching_what_there_is_not(server: OllamaServer) -> None:
    """Offline, the registry cannot be reached; that is another problem, and no less typed."""
    with pytest.raises(ServerError) as raised:
        [pull async for pull in server.pull("tui-chat/no-such-model-anywhere:1b")]
    assert raised.value.problem.code in (ProblemCode.MODEL_UNKNOWN, ProblemCode.DOWNLOAD_FAILED)


@pytest.mark.skipif("TUI_CHAT_OLLAMA_PULL" not in os.environ, reason="TUI_CHAT_OLLAMA_PULL names no model")
async def test_fetching_is_left_and_goes_on(server: OllamaServer) -> None:
    name = os.environ["TUI_CHAT_OLLAMA_PULL"]
    left = 0
    async with aclosing(server.pull(name)) as pulls:
        async for pull in pulls:
            if pull.done > 1 << 20:
                left = pull.done
                break
    told = [pull async for pull in server.pull(name)]
    assert told[-1].state is PullState.DONE
    assert told[-1].done == told[-1].total >= left
    await server.look()
    assert full_name(name) in {model.name for model in server.info.models}


@pytest.mark.skipif(
    "TUI_CHAT_OLLAMA_THINKING" not in os.environ, reason="TUI_CHAT_OLLAMA_THINKING names no model"
)
async def test_thinking_is_kept_apart(server: OllamaServer) -> None:
    name = full_name(os.environ["TUI_CHAT_OLLAMA_THINKING"])
    model = await loaded(server, name, None, 30)
    heard = await hear(model, user("What is 7 times 8?"), Sampling(temperature=0, max_tokens=2000))
    assert model.description.can_think
    assert thought(heard)
    assert "<think>" not in heard.text
    assert "56" in heard.text
