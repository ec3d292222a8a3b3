"""What Ollama has and has loaded: listing, loading, unloading, and what its process tells."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.library.places import add_to_ollama
from tests.servers.ollama_support import OPTIONS, QUESTION, TINY, hear, listed, loaded, standing_in
from tests.servers.small_ollama import Model
from tests.worker.support import eventually
from tui_chat.backends.servers.failures import ServerError
from tui_chat.backends.servers.server import Keeper
from tui_chat.chat.model import FinishReason, ProblemCode
from tui_chat.library.sources.ollama import weights_of
from tui_chat.wire.events import Waiting
from tui_chat.wire.plan import KvType, LoadOptions
from tui_chat.wire.servers import Capability, Control, ServerKind, ServerState

EMBEDDER = Model("embed:latest", family="nomic-bert", capabilities=("embedding",), trained_context=2048)
WISE = Model(
    "wise:7b", family="qwen3", parameter_size="7.6B", quant="Q4_K_M", trained_context=40_960,
    capabilities=("completion", "tools", "thinking", "vision", "insert"),
)  # fmt: skip


@contextmanager
def process_with(**environment: str) -> Iterator[int]:
    """The id of a process that was started with these variables."""
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize("version", ["0.33.0", "0.20.0"])
async def test_models_are_listed_with_what_they_can_do(version: str) -> None:
    async with standing_in(EMBEDDER, WISE, version=version) as (stand_in, server):
        info = server.info
        assert (info.kind, info.control, info.state) == (ServerKind.OLLAMA, Control.DEEP, ServerState.UP)
        assert (info.version, info.here, info.url) == (version, True, stand_in.url)
        assert isinstance(server, Keeper)
        wise, embedder = listed(server, WISE.name), listed(server, EMBEDDER.name)
        assert set(wise.capabilities) == {
            Capability.CHAT, Capability.TOOLS, Capability.THINKING, Capability.VISION,
        }  # fmt: skip
        assert embedder.capabilities == (Capability.EMBEDDING,)
        assert (wise.trained_context, wise.parameters, wise.quant) == (40_960, 7_600_000_000, "Q4_K_M")
        assert (wise.architecture, wise.size_bytes, wise.digest) == ("qwen3", WISE.size, WISE.digest)
        assert (wise.loaded, wise.context, wise.expires) == (False, 0, None)
        await server.look()
        assert len(stand_in.asked("/api/show")) == (0 if version == "0.33.0" else 2)  # asked once each


async def test_a_release_that_tells_no_capabilities_still_shows_what_embeds() -> None:
    async with standing_in(EMBEDDER, Model(TINY), version="0.5.7") as (_, server):
        assert listed(server, EMBEDDER.name).capabilities == (Capability.EMBEDDING,)
        assert listed(server).capabilities == (Capability.CHAT,)
        assert listed(server).trained_context == 8192


async def test_models_in_the_cloud_are_left_out_and_that_is_said() -> None:
    async with standing_in(Model(TINY), Model("big:cloud", remote_host="https://ollama.com")) as (_, server):
        assert [model.name for model in server.info.models] == [TINY]
        assert any("1 model that runs in the cloud" in note for note in server.info.notes)


async def test_a_loaded_model_shows_what_it_takes_and_when_it_goes() -> None:
    async with standing_in() as (stand_in, server):
        before = datetime.now(UTC)
        model = await loaded(server, options=LoadOptions(context=2048, gpu_layers=10), keep_alive_s=60)
        now = listed(server)
        runner = stand_in.world.runners[TINY]
        assert (now.loaded, now.context) == (True, 2048)
        assert (now.vram_bytes, now.ram_bytes) == (runner.vram, runner.size - runner.vram)
        assert now.ram_bytes > now.vram_bytes
        assert model.real_bytes() == now.ram_bytes
        assert now.expires is not None
        assert 50 < (now.expires - before).total_seconds() < 90
        assert (await server.look()).memory_bytes == now.vram_bytes
        described = model.description
        assert (described.context, described.trained_context) == (2048, 8192)
        assert described.backend == "Ollama 0.33.0"


async def test_what_is_to_stay_never_expires() -> None:
    async with standing_in() as (stand_in, server):
        await loaded(server, keep_alive_s=-1)
        assert stand_in.asked("/api/generate")[0]["keep_alive"] == -1
        assert listed(server).expires is None


async def test_what_is_to_go_at_once_goes_after_its_answer() -> None:
    """A request to load for 0 seconds would be one to unload."""
    async with standing_in() as (stand_in, server):
        model = await loaded(server, keep_alive_s=0)
        assert "keep_alive" not in stand_in.asked("/api/generate")[0]
        assert listed(server).loaded
        assert (await hear(model)).settled.finish is FinishReason.STOP
        await server.look()
        assert not listed(server).loaded


async def test_a_context_that_was_clamped_is_told_as_it_is() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server, options=LoadOptions(context=100_000))
        assert model.description.context == 8192
        assert model.description.options is not None
        assert model.description.options.context == 8192
        await hear(model)
        await hear(server.attach(listed(server)))
        assert (
            len(stand_in.world.loads) == 1
        )  # what was asked for is asked for again, or it would be loaded anew


async def test_without_options_the_server_decides() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server, options=None, keep_alive_s=None)
        await hear(model)
        assert stand_in.asked("/api/generate") == [{"model": TINY, "stream": False}]
        assert model.description.context == 4096
        assert stand_in.world.loads == [(TINY, {})]


async def test_leaving_a_load_stops_it() -> None:
    async with standing_in(hold_loads=True) as (stand_in, server):
        loading = asyncio.create_task(loaded(server))
        await eventually(lambda: len(stand_in.world.loads) == 1)
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await eventually(lambda: stand_in.world.cancelled == ["load"])
        assert stand_in.world.running() == []


async def test_a_load_that_never_ends_is_given_up() -> None:
    async with standing_in(hold_loads=True, settings={"first_token_s": 0.2}) as (_, server):
        with pytest.raises(ServerError) as raised:
            await loaded(server)
        assert raised.value.problem.code is ProblemCode.SERVER_STALLED


async def test_a_model_that_has_gone_is_loaded_again_as_it_was_and_that_is_said() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        stand_in.world.runners.clear()
        await server.look()
        heard = await hear(model)
        assert heard.events[0] == Waiting("ollama", loading=True)
        assert heard.settled.finish is FinishReason.STOP
        assert stand_in.world.loads[0] == stand_in.world.loads[1]


async def test_unloading_gives_the_memory_back_before_it_returns() -> None:
    async with standing_in() as (stand_in, server):
        model = await loaded(server)
        await server.unload(TINY)
        assert stand_in.world.running() == []
        assert not listed(server).loaded
        assert model.real_bytes() == 0
        await server.unload(TINY)  # does no harm
        model = await loaded(server)
        await model.close()
        assert stand_in.world.running() == []


async def test_a_model_that_answers_somebody_is_not_unloaded_and_that_is_said() -> None:
    async with standing_in(hold_after=1, more={"unloads_within_s": 0.2}) as (stand_in, server):
        answer = asyncio.create_task(hear(await loaded(server)))
        await eventually(lambda: stand_in.world.runners[TINY].users == 1)
        with pytest.raises(ServerError) as raised:
            await server.unload(TINY)
        assert raised.value.problem.code is ProblemCode.SERVER_BUSY
        assert "still answering somebody" in raised.value.problem.what
        stand_in.world.hold_after = None
        assert (await answer).text == stand_in.world.models[TINY].answer
        await eventually(lambda: not stand_in.world.running())


async def test_a_model_that_is_not_there_is_unknown() -> None:
    async with standing_in() as (stand_in, server):
        known = listed(server)
        del stand_in.world.models[TINY]
        for verb in (
            server.load(known, OPTIONS, None, lambda _: None),
            server.unload(TINY),
            server.show(TINY),
        ):
            with pytest.raises(ServerError) as raised:
                await verb
            assert raised.value.problem.code is ProblemCode.MODEL_UNKNOWN
            assert TINY in raised.value.problem.what


async def test_what_embeds_is_not_chatted_with() -> None:
    async with standing_in(EMBEDDER) as (stand_in, server):
        with pytest.raises(ServerError) as raised:
            await loaded(server, EMBEDDER.name)
        assert raised.value.problem.code is ProblemCode.NOT_POSSIBLE
        settled = (await hear(server.attach(listed(server, EMBEDDER.name)))).settled
        assert settled.problem is not None
        assert settled.problem.code is ProblemCode.NOT_POSSIBLE
        assert stand_in.asked("/api/chat") == []


async def test_it_cannot_count_and_says_so() -> None:
    async with standing_in() as (_, server):
        model = await loaded(server)
        for counting in (model.tokenize("Hello"), model.count(QUESTION)):
            with pytest.raises(ServerError) as raised:
                await counting
            assert raised.value.problem.code is ProblemCode.NOT_POSSIBLE
        assert any("cannot count" in note for note in server.info.notes)


async def test_the_kv_type_is_the_one_that_it_was_started_with() -> None:
    with process_with(OLLAMA_KV_CACHE_TYPE="Q8_0", OLLAMA_NUM_PARALLEL="2") as pid:
        async with standing_in(more={"pid": lambda: pid}) as (_, server):
            assert (server.environment.kv_type, server.environment.parallel) == (KvType.Q8_0, 2)
            assert server.info.pid == pid
            described = (await loaded(server)).description
            assert described.options is not None
            assert described.options.kv_type is KvType.Q8_0
            assert any("KV cache is q8_0" in note for note in server.info.notes)


@pytest.mark.parametrize(("told", "expected"), [(None, KvType.F16), (KvType.Q4_0, KvType.Q4_0)])
async def test_a_kv_type_that_cannot_be_seen_is_that_of_the_settings(
    told: KvType | None, expected: KvType
) -> None:
    async with standing_in(settings={"kv_type": told}) as (_, server):
        assert server.environment.kv_type is expected
        assert any(f"cannot be seen; {expected} is assumed" in note for note in server.info.notes)


async def test_the_files_of_its_models_are_found_and_no_others(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"GGUF and more")
    manifests = "registry.ollama.ai/library"
    ours = add_to_ollama(tmp_path / "models", f"{manifests}/tiny/1b", {"model": weights})
    add_to_ollama(tmp_path / "models", f"{manifests}/changed/1b", {"model": weights})
    digest = hashlib.sha256(ours.read_bytes()).hexdigest()
    models = Model(TINY, digest=digest), Model("changed:1b"), Model("../../evil:1b"), Model("gone:1b")
    with process_with(OLLAMA_MODELS=str(tmp_path / "models")) as pid:
        async with standing_in(*models, more={"pid": lambda: pid, "find_blob": weights_of}) as (_, server):
            found = listed(server).blob
            assert found is not None
            assert Path(found).read_bytes() == weights.read_bytes()
            assert [model.blob for model in server.info.models[1:]] == [None, None, None]
