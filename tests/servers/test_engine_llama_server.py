"""A real llama.cpp server beside our own models, through the real engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.engine.support import ask, engine_in, residents
from tests.homes import Home
from tests.servers.llama_server import CONTEXT, NAME, SLOTS, LlamaServerProcess
from tests.worker.support import PATIENCE_S
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.store.journal import read_journal
from tui_chat.wire.api import CountRequest, GenerateRequest, GenerationState, ModelState, PlanRequest, Turn
from tui_chat.wire.events import Delta, Queued, Settled
from tui_chat.wire.plan import Source
from tui_chat.wire.servers import Control, ServerKind, ServerState

THERE = f"box/{NAME}"
OWN = "SmolLM2-135M-Instruct.Q4_1"
COUNTING = (Turn(Role.USER, "Count from 1 to 500, separated by commas."),)
ENDLESS = Sampling(temperature=0, max_tokens=400)


@asynccontextmanager
async def cockpit(home: Home, url: str, more: str = "") -> AsyncIterator[EngineClient]:
    home.configure(f'[servers.box]\nurl = "{url}"\n{more}')
    async with engine_in(home) as client:
        yield client


async def begin(client: EngineClient, model: str, **more: object) -> str:
    """Ask for a long answer, and return when it is being written."""
    request = GenerateRequest(id=new_id(), model=model, turns=COUNTING, sampling=ENDLESS, **more)
    await client.generate(request)
    async for numbered in client.follow(request.id):
        if isinstance(numbered.event, Delta):
            break
    return request.id


async def end_of(client: EngineClient, id: str) -> tuple[str, Settled]:
    text = ""
    async for numbered in client.follow(id):
        if isinstance(numbered.event, Delta):
            text += numbered.event.text
        elif isinstance(numbered.event, Settled):
            return text, numbered.event
    raise AssertionError("every generation settles")


async def test_its_kind_is_found_out_and_its_model_answers(
    home: Home, llama_server: LlamaServerProcess
) -> None:
    async with cockpit(home, llama_server.url) as client:
        (server,) = await client.servers()
        assert (server.kind, server.control) == (ServerKind.LLAMA_SERVER, Control.MEDIUM)
        assert (server.state, server.here, server.configured) == (ServerState.UP, True, True)
        model = next(model for model in await client.models() if model.id == THERE)
        assert (model.state, model.context, model.trained_context) == (ModelState.READY, CONTEXT, CONTEXT)
        assert model.fixed
        plan = (await client.plan(PlanRequest((THERE,)))).plans[THERE]
        assert (plan.verdict, plan.source, plan.devices) == ("switch now", Source.SERVER, ())
        counted = await client.count(CountRequest(THERE, (Turn(Role.USER, "Hello"),)))
        end = await ask(client, THERE, "Hello")
        assert end.finish in (FinishReason.STOP, FinishReason.LENGTH)
        assert end.usage.prompt_tokens == counted.total
        assert end.timings.decode_tps
        assert end.flight is not None
        assert (await residents(client))[THERE].state is ModelState.READY


async def test_it_writes_while_our_own_model_does(home: Home, llama_server: LlamaServerProcess) -> None:
    async with cockpit(home, llama_server.url) as client:
        await client.models()
        own, there = await begin(client, OWN), await begin(client, THERE)
        states = {each.id: each.state for each in (await client.info()).generations}
        assert states == {own: GenerationState.DECODING, there: GenerationState.DECODING}
        for each in (own, there):
            await client.cancel(each)
            assert (await end_of(client, each))[1].finish is FinishReason.CANCELLED


async def test_it_is_asked_for_as_many_answers_as_it_takes(
    home: Home, llama_server: LlamaServerProcess
) -> None:
    async with cockpit(home, llama_server.url, f"parallel = {SLOTS}\n") as client:
        await client.models()
        first, second = await begin(client, THERE), await begin(client, THERE)
        third = GenerateRequest(id=new_id(), model=THERE, turns=COUNTING, sampling=ENDLESS)
        await client.generate(third)
        async for numbered in client.follow(third.id):
            assert numbered.event == Queued(SLOTS)
            break
        assert (await residents(client))[THERE].state is ModelState.BUSY
        await client.cancel(first)
        assert (await end_of(client, first))[1].finish is FinishReason.CANCELLED
        assert (await residents(client))[THERE].state is ModelState.BUSY, "the second is not over"
        for each in (second, third.id):
            await client.cancel(each)
            await end_of(client, each)
        assert (await residents(client))[THERE].state is ModelState.READY


async def test_nothing_is_lost_when_it_is_killed_in_mid_answer(
    home: Home, starter_model: Path, tmp_path: Path
) -> None:
    process = LlamaServerProcess(starter_model)
    try:
        process.wait()
        async with cockpit(home, process.url) as client:
            await client.models()
            journal = tmp_path / "answer.journal"
            answer = await begin(client, THERE, journal=str(journal), session="s")
            process.kill()
            text, end = await end_of(client, answer)
            assert end.finish is FinishReason.INTERRUPTED
            assert end.problem is not None
            assert end.problem.code is ProblemCode.STREAM_BROKEN
            written = read_journal(journal)
            assert written is not None
            assert written.text == text != ""
            await client.servers()
            model = next(model for model in await client.models() if model.id == THERE)
            assert model.state is ModelState.FAILED
            assert await residents(client) == {}
            refused = await ask(client, THERE, "Hello")
            assert refused.problem is not None
            assert refused.problem.code is ProblemCode.SERVER_UNREACHABLE
    finally:
        process.close()


async def test_a_server_of_this_machine_is_found_by_itself(
    home: Home, llama_server: LlamaServerProcess
) -> None:
    home.configure(f"[detect]\nenabled = true\nports = [{llama_server.port}]\n")
    async with engine_in(home) as client:
        found = {server.url: server for server in await client.servers(look=True)}
        server = found[llama_server.url]
        assert (server.kind, server.state, server.configured) == (
            ServerKind.LLAMA_SERVER,
            ServerState.UP,
            False,
        )
        assert server.pid == llama_server.process.pid
        end = await ask(client, f"{server.name}/{NAME}", "Hello")
        assert end.finish in (FinishReason.STOP, FinishReason.LENGTH)


async def test_an_unreachable_server_delays_nobody(home: Home) -> None:
    async with cockpit(home, "http://192.0.2.1:8000", "connect_s = 3600.0\n") as client:
        async with asyncio.timeout(PATIENCE_S):
            assert OWN in {model.id for model in await client.models()}
            assert (await ask(client, OWN, "Hello")).finish in (FinishReason.STOP, FinishReason.LENGTH)


async def test_what_changes_at_every_look_wakes_nobody(home: Home, llama_server: LlamaServerProcess) -> None:
    async with cockpit(home, llama_server.url) as client:
        await client.servers()
        versions = {version := await version_of(client)}
        answer = await begin(client, THERE)
        (server,) = await client.servers()
        assert server.activity is not None
        assert server.activity.running == 1
        versions.add(await version_of(client))
        await client.cancel(answer)
        await end_of(client, answer)
        await client.servers()
        versions.add(await version_of(client))
        assert versions == {version}


async def version_of(client: EngineClient) -> int:
    """The number that grows when something new is known of servers."""
    async for change in client.watch():
        return change.servers
    raise AssertionError("the engine tells its state at once")
