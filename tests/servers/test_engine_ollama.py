"""An Ollama's models beside our own, through the real engine."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.engine.support import LONG, ask, engine_in, residents, seen
from tests.homes import Home
from tests.ports import free_port
from tests.servers.ollama_stand_in import OllamaStandIn, ollama_in_thread
from tests.servers.ollama_support import give_blob
from tests.servers.small_ollama import FOREVER, Model
from tests.telemetry.script import H200, Script
from tests.worker.support import PATIENCE_S
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, ProblemCode, Role
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.wire.api import GenerateRequest, LoadRequest, ModelInfo, ModelState, PlanRequest, Turn
from tui_chat.wire.events import Delta, Settled, Waiting
from tui_chat.wire.plan import Plan, Source

TINY = "ollama/tiny:1b"
OWN = "SmolLM2-135M-Instruct.Q4_1"
ROOM_FOR_ONE = "ram_limit_mib = 560"


@pytest.fixture
def ollama() -> Iterator[OllamaStandIn]:
    with ollama_in_thread(Model("tiny:1b"), Model("wise:1b", thinking="Let me see.")) as stand_in:
        yield stand_in


@asynccontextmanager
async def cockpit(home: Home, ollama: OllamaStandIn, models: str = "") -> AsyncIterator[EngineClient]:
    home.configure(f'[servers.ollama]\nurl = "{ollama.url}"\n', models)
    async with engine_in(home) as client:
        yield client


async def listed(client: EngineClient) -> dict[str, ModelInfo]:
    return {model.id: model for model in await client.models()}


async def planned(client: EngineClient, model: str, **more: object) -> Plan:
    reply = await client.plan(PlanRequest((model,), **more))
    assert reply.problems == {}
    return reply.plans[model]


async def test_its_models_are_listed_answer_and_are_loaded_once(home: Home, ollama: OllamaStandIn) -> None:
    async with cockpit(home, ollama) as client:
        models = await listed(client)
        assert models[TINY].state is ModelState.ON_DISK
        assert (models[TINY].server, models[TINY].host) == ("ollama", "")
        assert OWN in models, "our own are there beside them"
        plan = await planned(client, TINY)
        assert (plan.fits, plan.verdict, plan.source) == (True, "loads there", Source.SERVER)
        first = await ask(client, TINY, "Why is the sky blue?")
        assert (first.finish, first.problem) == (FinishReason.STOP, None)
        second = await ask(client, TINY, "Why is the sky blue?", "Because.", "Really?")
        assert second.finish is FinishReason.STOP
        ((_, load),) = ollama.world.loads  # the same options each time, so that nothing is loaded anew
        assert "num_gpu" not in load, "where it puts layers is its own business"
        assert (await residents(client))[TINY].state is ModelState.READY
        assert (await planned(client, TINY)).verdict == "switch now"


async def test_what_waits_for_the_server_is_told(home: Home, ollama: OllamaStandIn) -> None:
    ollama.world.hold_after = 3
    async with cockpit(home, ollama) as client:
        request = GenerateRequest(id=new_id(), model=TINY, turns=(Turn(Role.USER, "Why?"),))
        await client.generate(request)
        events = []
        async for numbered in client.follow(request.id):
            events.append(numbered.event)
            if isinstance(numbered.event, Delta):
                ollama.world.hold_after = None
        assert any(isinstance(event, Waiting) and event.server == "ollama" for event in events)
        assert isinstance(events[-1], Settled)
        assert events[-1].finish is FinishReason.STOP


async def test_a_longer_conversation_has_it_loaded_with_more_and_that_is_said_before(
    home: Home, ollama: OllamaStandIn
) -> None:
    async with cockpit(home, ollama, "context = 2048") as client:
        await ask(client, TINY, "Hello")
        assert ollama.world.loads[-1][1]["num_ctx"] == 2048
        plan = await planned(client, TINY, need=3000)
        assert (plan.verdict, plan.options.context) == ("reloads there", 4096)
        assert (await ask(client, TINY, LONG * 10)).finish is FinishReason.STOP
        assert [load["num_ctx"] for _, load in ollama.world.loads] == [2048, 4096]


async def test_a_model_with_its_file_here_is_planned_like_our_own(
    home: Home, ollama: OllamaStandIn, starter_model: Path
) -> None:
    give_blob(home.root / "ollama", ollama, "tiny:1b", starter_model)
    async with cockpit(home, ollama) as client:
        plan = await planned(client, TINY)
        own = await planned(client, OWN)
        assert plan.devices[-1].total_bytes == own.devices[-1].total_bytes > 0
        assert plan.options.context == own.options.context
        assert (await ask(client, TINY, "Hello")).finish is FinishReason.STOP
        (_, load), *_ = ollama.world.loads
        assert load["num_ctx"] == plan.options.context
        assert "num_gpu" not in load, "there is no GPU that we see, and it may see one"
        assert (await residents(client))[TINY].devices[-1].total_bytes == plan.devices[-1].total_bytes


async def test_its_models_and_ours_make_room_for_each_other(
    home: Home, ollama: OllamaStandIn, starter_model: Path
) -> None:
    give_blob(home.root / "ollama", ollama, "tiny:1b", starter_model)
    async with cockpit(home, ollama, ROOM_FOR_ONE) as client:
        await client.load(LoadRequest(TINY, context=8192))
        assert [runner.model.name for runner in ollama.world.running()] == ["tiny:1b"]
        plan = await planned(client, OWN, context=8192)
        assert (plan.fits, plan.evicts) == (True, (TINY,))
        await client.load(LoadRequest(OWN, context=8192))
        assert ollama.world.running() == []
        assert set(await residents(client)) == {OWN}
        plan = await planned(client, TINY, context=8192)
        assert plan.evicts == (OWN,)
        await client.load(LoadRequest(TINY, context=8192))
        assert set(await residents(client)) == {TINY}
        assert home.worker() is None


async def load_elsewhere(ollama: OllamaStandIn, model: str) -> None:
    """As another program would."""
    import httpx

    async with httpx.AsyncClient(base_url=ollama.url) as other:
        await other.post("/api/generate", json={"model": model, "options": {"num_ctx": 2048}})


async def test_what_others_have_loaded_is_seen_and_may_be_unloaded(home: Home, ollama: OllamaStandIn) -> None:
    async with cockpit(home, ollama) as client:
        await load_elsewhere(ollama, "wise:1b")
        await client.servers()
        await seen(client, "ollama/wise:1b", ModelState.READY)
        info = (await residents(client))["ollama/wise:1b"]
        assert info.context == 2048
        assert sum(use.total_bytes for use in info.devices) > 0
        assert (await ask(client, "ollama/wise:1b", "Hello")).finish is FinishReason.STOP
        assert len(ollama.world.loads) == 1, "it is used as it is"
        await client.unload("ollama/wise:1b")
        assert ollama.world.running() == []
        assert await residents(client) == {}


async def test_what_its_server_lets_go_is_forgotten(home: Home, ollama: OllamaStandIn) -> None:
    async with cockpit(home, ollama) as client:
        await ask(client, TINY, "Hello")
        ollama.world.unload(ollama.world.models["tiny:1b"])
        async with asyncio.timeout(PATIENCE_S):
            while await residents(client):  # it may have been in use a moment ago, and then it is believed
                await client.servers()
        assert (await ask(client, TINY, "Hello")).finish is FinishReason.STOP, "it comes back when asked"


async def test_a_model_of_a_server_that_never_answered_is_refused_with_that_reason(home: Home) -> None:
    home.configure('[servers.gone]\nurl = "http://127.0.0.1:9"\nkind = "vllm"\n')
    async with engine_in(home) as client:
        await client.servers()
        end = await ask(client, "gone/llama", "Hello")
        assert end.problem is not None
        assert end.problem.code is ProblemCode.SERVER_UNREACHABLE
        unknown = await ask(client, "nowhere/llama", "Hello")
        assert unknown.problem is not None
        assert unknown.problem.code is ProblemCode.MODEL_UNKNOWN


async def test_stopping_an_answer_ends_it_at_the_server(home: Home, ollama: OllamaStandIn) -> None:
    ollama.world.hold_after = 3
    async with cockpit(home, ollama) as client:
        request = GenerateRequest(id=new_id(), model=TINY, turns=(Turn(Role.USER, "Why?"),))
        await client.generate(request)
        text = ""
        async for numbered in client.follow(request.id):
            if isinstance(numbered.event, Delta):
                text += numbered.event.text
                await client.cancel(request.id)
            elif isinstance(numbered.event, Settled):
                assert numbered.event.finish is FinishReason.CANCELLED
        assert text
        async with asyncio.timeout(PATIENCE_S):
            while "chat" not in ollama.world.cancelled:
                await asyncio.sleep(0.01)


async def test_a_server_that_goes_away_is_said_to_and_is_back_when_it_is(home: Home) -> None:
    port = free_port()
    with ollama_in_thread(Model("tiny:1b"), port=port) as ollama:
        async with cockpit(home, ollama) as client:
            await ask(client, TINY, "Hello")
    async with engine_in(home) as client:
        end = await ask(client, TINY, "Hello")
        assert end.problem is not None
        assert end.problem.code is ProblemCode.SERVER_UNREACHABLE
        await client.servers()
        assert (await listed(client))[TINY].state is ModelState.FAILED
        with ollama_in_thread(Model("tiny:1b"), port=port):
            await client.servers(look=True)
            assert (await ask(client, TINY, "Hello")).finish is FinishReason.STOP


PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def test_a_picture_is_shown_to_a_model_that_sees_and_to_no_other(home: Home, tmp_path: Path) -> None:
    picture = tmp_path / "sea.png"
    picture.write_bytes(PNG)
    models = (Model("eyes:1b", capabilities=("completion", "vision")), Model("tiny:1b"))
    with ollama_in_thread(*models) as ollama:
        home.configure(f'[servers.ollama]\nurl = "{ollama.url}"\n')
        shown = home.run("ask", "What is this?", "--image", str(picture), "--model", "ollama/eyes:1b")
        assert (shown.returncode, shown.stderr) == (0, "")
        (asked,) = ollama.asked("/api/chat")
        assert asked["messages"][-1]["images"] == [base64.b64encode(PNG).decode()]
        blind = home.run("ask", "What is this?", "--image", str(picture), "--model", TINY)
        assert blind.returncode == 1
        assert "ollama/tiny:1b cannot be shown pictures" in blind.stderr
        assert len(ollama.asked("/api/chat")) == 1
        own = home.run("ask", "What is this?", "--image", str(picture), "--model", OWN)
        assert f"{OWN} cannot be shown pictures" in own.stderr
        none = home.run("ask", "What is this?", "--image", __file__, "--model", TINY)
        assert none.returncode == 2
        assert "is no PNG" in none.stderr


async def test_a_pinned_model_is_kept_by_its_server_too(home: Home, ollama: OllamaStandIn) -> None:
    async with cockpit(home, ollama) as client:
        await client.load(LoadRequest(TINY, keep_alive_s=60))
        (runner,) = ollama.world.running()
        assert runner.keep_alive == 60
        await client.pin(TINY, True)
        await kept_for(ollama, FOREVER)
        await client.pin(TINY, False)
        await kept_for(ollama, 60)
        await client.pin(TINY, True)
        await kept_for(ollama, FOREVER)
        assert (await ask(client, TINY, "Hello")).finish is FinishReason.STOP
        assert ollama.world.running()[0].keep_alive == FOREVER, "an answer does not let it go again"
        assert len(ollama.world.loads) == 1, "nothing is loaded anew for it"


async def test_pinning_what_others_have_loaded_leaves_it_as_it_is(home: Home, ollama: OllamaStandIn) -> None:
    async with cockpit(home, ollama) as client:
        await load_elsewhere(ollama, "wise:1b")
        await client.servers()
        await seen(client, "ollama/wise:1b", ModelState.READY)
        await client.pin("ollama/wise:1b", True)
        await kept_for(ollama, FOREVER)
        assert len(ollama.world.loads) == 1


async def kept_for(ollama: OllamaStandIn, seconds: float) -> None:
    """Wait until the model that is loaded stays so long."""
    async with asyncio.timeout(PATIENCE_S):
        while [runner.keep_alive for runner in ollama.world.running()] != [seconds]:
            await asyncio.sleep(0.01)


async def test_a_gpu_that_only_its_server_can_use_is_planned_with(
    home: Home, ollama: OllamaStandIn, starter_model: Path, script: Script
) -> None:
    """llama-cpp-python is mostly built for processors alone, and an Ollama for all there is."""
    script.play(H200)
    give_blob(home.root / "ollama", ollama, "tiny:1b", starter_model)
    async with cockpit(home, ollama) as client:
        own, plan = await planned(client, OWN), await planned(client, TINY)
        assert [use.name for use in own.devices] == ["ram"]
        assert [use.name for use in plan.devices] == ["gpu0", "ram"]
        assert plan.devices[0].layers == 30
        await client.load(LoadRequest(TINY))
        (_, load), *_ = ollama.world.loads
        assert load["num_gpu"] == plan.options.gpu_layers > 0


async def test_the_command_line_plans_it_too(home: Home, ollama: OllamaStandIn, starter_model: Path) -> None:
    give_blob(home.root / "ollama", ollama, "tiny:1b", starter_model)
    async with cockpit(home, ollama) as client:
        await client.servers()
        with_file, without = home.run("plan", TINY), home.run("plan", "ollama/wise:1b")
        assert with_file.stdout.startswith("ollama/tiny:1b fits. All in RAM")
        assert "WEIGHTS" in with_file.stdout
        assert without.stdout.startswith("ollama/wise:1b fits. Ollama loads it when it is asked")
        assert "WEIGHTS" not in without.stdout


@pytest.mark.parametrize("with_file", [False, True])
async def test_a_load_that_somebody_stops_ends_at_its_server(
    home: Home, ollama: OllamaStandIn, starter_model: Path, with_file: bool
) -> None:
    if with_file:
        give_blob(home.root / "ollama", ollama, "tiny:1b", starter_model)
    ollama.world.hold_loads = True
    async with cockpit(home, ollama) as client:
        loading = asyncio.create_task(client.load(LoadRequest(TINY)))
        await seen(client, TINY, ModelState.LOADING, ModelState.SPAWNING)
        async with asyncio.timeout(PATIENCE_S):
            while not ollama.world.loads:
                await asyncio.sleep(0.01)
        await client.unload(TINY)
        with pytest.raises(EngineError, match="stopped"):
            await loading
        await seen(client, TINY)
        async with asyncio.timeout(PATIENCE_S):
            while "load" not in ollama.world.cancelled:
                await asyncio.sleep(0.01)
