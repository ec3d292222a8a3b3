"""Ollama's collection: fetching, making, copying, deleting and reading up on models."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.servers.ollama_stand_in import Cut, Hang, Status
from tests.servers.ollama_support import TINY, hear, listed, loaded, standing_in
from tests.servers.small_ollama import Model
from tests.worker.support import eventually
from tui_chat.backends.servers.failures import ServerError
from tui_chat.chat.model import ProblemCode
from tui_chat.wire.servers import Capability, Pull, PullState

MIB = 1 << 20
NEW = Model("new:1b", layers=(("sha256:" + "a" * 64, 2 * MIB), ("sha256:" + "b" * 64, MIB // 2)))


async def all_of(pulls: AsyncGenerator[Pull]) -> list[Pull]:
    return [pull async for pull in pulls]


async def test_fetching_tells_how_far_it_is() -> None:
    async with standing_in() as (stand_in, server):
        stand_in.world.registry[NEW.name] = NEW
        told = await all_of(server.pull(NEW.name))
        assert (told[0].status, told[0].total) == ("pulling manifest", 0)
        done = [pull.done for pull in told]
        assert done == sorted(done)
        assert (told[-1].state, told[-1].done, told[-1].total) == (PullState.DONE, *[5 * MIB // 2] * 2)
        assert all(pull.state is PullState.RUNNING for pull in told[:-1])
        await server.look()
        assert listed(server, NEW.name).size_bytes == NEW.size


async def test_fetching_is_left_and_goes_on_later() -> None:
    async with standing_in(hold_pull_at=MIB) as (stand_in, server):
        stand_in.world.registry[NEW.name] = NEW
        async with aclosing(server.pull(NEW.name)) as pulls:
            async for pull in pulls:
                if pull.done >= MIB:
                    break
        await eventually(lambda: stand_in.world.cancelled == ["pull"])
        stand_in.world.hold_pull_at = None
        told = await all_of(server.pull(NEW.name))
        assert min(pull.done for pull in told if pull.total) >= MIB
        assert told[-1].state is PullState.DONE


async def test_what_cannot_be_fetched_is_told() -> None:
    async with standing_in() as (stand_in, server):
        with pytest.raises(ServerError) as raised:
            await all_of(server.pull("nosuch"))
        assert raised.value.problem.code is ProblemCode.MODEL_UNKNOWN
        assert "nosuch" in raised.value.problem.what

        begun = {"status": "pulling aaaaaaaaaaaa", "digest": "sha256:aa", "total": 10, "completed": 3}
        full = {"error": "write /models/blobs/sha256-aa-partial: no space left on device"}
        for steps, words in (
            ((begun, full), "no space left"),
            ((begun, Cut()), "all of"),
            ((begun,), "all of"),
        ):
            stand_in.play("/api/pull", *steps)
            with pytest.raises(ServerError) as raised:
                await all_of(server.pull(NEW.name))
            problem = raised.value.problem
            assert problem.code is ProblemCode.DOWNLOAD_FAILED
            assert words in problem.what
            assert "goes on from there" in problem.remedy


async def test_fetching_that_stands_still_is_given_up() -> None:
    async with standing_in(settings={"first_token_s": 0.2}) as (stand_in, server):
        stand_in.play("/api/pull", {"status": "pulling manifest"}, Hang())
        with pytest.raises(ServerError) as raised:
            await all_of(server.pull(NEW.name))
        assert raised.value.problem.code is ProblemCode.DOWNLOAD_FAILED


async def test_a_file_of_this_machine_becomes_a_model(tmp_path: Path) -> None:
    file = tmp_path / "own model.gguf"
    file.write_bytes(b"GGUF" + bytes(range(256)) * (40 << 10))  # 10 MiB: several chunks
    async with standing_in() as (stand_in, server):
        told = await all_of(server.create("own", file))
        digest = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        assert stand_in.world.blobs[digest] == file.read_bytes()
        assert stand_in.asked("/api/create")[0]["files"] == {file.name: digest}
        statuses = [pull.status for pull in told]
        assert statuses[0] == f"reading {file.name}"
        assert f"sending {file.name}" in statuses
        assert told[-1] == Pull(
            server="ollama", model="own", state=PullState.DONE, status="success",
            done=file.stat().st_size, total=file.stat().st_size,
        )  # fmt: skip
        await server.look()
        assert (await hear(await loaded(server, "own:latest"))).text

        await all_of(server.create("again", file))  # what it has is not sent again
        sent = [request for request in stand_in.seen if request.path.endswith(digest)]
        assert [request.method for request in sent] == ["HEAD", "POST", "HEAD"]


async def test_what_is_no_model_is_not_sent(tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("Not a model.")
    async with standing_in() as (stand_in, server):
        asked = len(stand_in.seen)
        for file, code in (
            (text, ProblemCode.MODEL_INVALID),
            (tmp_path / "none.gguf", ProblemCode.MODEL_MISSING),
            (tmp_path, ProblemCode.MODEL_MISSING),
        ):
            with pytest.raises(ServerError) as raised:
                await all_of(server.create("own", file))
            assert raised.value.problem.code is code
        assert len(stand_in.seen) == asked


async def test_a_file_that_is_not_taken_is_told(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF and more")
    async with standing_in() as (stand_in, server):
        path = f"/api/blobs/sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        stand_in.play(path, Status(404))
        stand_in.play(path, Status(400, '{"error": "digest mismatch"}'))
        with pytest.raises(ServerError) as raised:
            await all_of(server.create("own", file))
        assert "digest mismatch" in raised.value.problem.what
        stand_in.play("/api/create", {"status": "parsing GGUF"}, {"error": "unsupported architecture 'odd'"})
        with pytest.raises(ServerError) as raised:
            await all_of(server.create("own", file))
        assert "unsupported architecture" in raised.value.problem.what


async def test_a_model_gets_a_second_name_and_goes() -> None:
    async with standing_in() as (_, server):
        await server.copy(TINY, "mine")
        await server.delete(TINY)
        await server.look()
        assert [model.name for model in server.info.models] == ["mine:latest"]
        for verb in (server.delete(TINY), server.copy(TINY, "other")):
            with pytest.raises(ServerError) as raised:
                await verb
            assert raised.value.problem.code is ProblemCode.MODEL_UNKNOWN


async def test_a_model_is_shown_with_all_there_is_to_read() -> None:
    model = Model(
        TINY, template="{{ .System }}{{ .Prompt }}", parameters='stop "<|im_end|>"', licence="MIT",
        system="Be brief.", capabilities=("completion", "tools"),
    )  # fmt: skip
    async with standing_in(model) as (_, server):
        card = await server.show(TINY)
        assert (card.template, card.parameters, card.licence) == (model.template, model.parameters, "MIT")
        assert card.system == "Be brief."
        assert card.modelfile.startswith("FROM tiny")
        assert card.model.capabilities == (Capability.CHAT, Capability.TOOLS)
        assert (card.model.trained_context, card.model.size_bytes) == (8192, model.size)
