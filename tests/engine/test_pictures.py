"""Own models with a projector beside them: planned with it, shown pictures, and of use without."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.engine.support import GREEDY, ask, engine_in, residents
from tests.homes import Home
from tests.pictures import png
from tests.worker import projector
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, Role
from tui_chat.client.engine import EngineClient
from tui_chat.wire.api import GenerateRequest, PlanRequest, Turn
from tui_chat.wire.events import Settled
from tui_chat.wire.pictures import Picture

OWN = "SmolLM2-135M-Instruct.Q4_1"


@pytest.fixture
def eyes(home: Home) -> Path:
    """The projector beside the model."""
    path = home.paths.models / f"mmproj-{OWN}.gguf"
    projector.write_llava(path)
    return path


async def show(client: EngineClient, count: int = 1) -> Settled:
    """Ask the model what is on some pictures."""
    pictures = tuple(Picture("image/png", png(64, 64, colour=level)) for level in range(count))
    turns = (Turn(Role.USER, "What is this?", pictures=pictures),)
    request = GenerateRequest(id=new_id(), model=OWN, turns=turns, sampling=GREEDY)
    await client.generate(request)
    return [each.event async for each in client.follow(request.id)][-1]


async def test_a_model_with_a_projector_sees_what_was_planned_for(home: Home, eyes: Path) -> None:
    home.configure("", "context = 2048")
    async with engine_in(home) as client:
        (listed,) = await client.models()
        assert listed.sees
        before = (await client.plan(PlanRequest((OWN,), exact=True))).plans[OWN]
        assert before.projector == str(eyes)
        taken = before.devices[-1].projector_bytes
        assert eyes.stat().st_size < taken < eyes.stat().st_size + (80 << 20)
        end = await show(client)
        assert end.finish in (FinishReason.STOP, FinishReason.LENGTH)
        assert end.usage.prompt_tokens > projector.PATCHES
        (resident,) = (await residents(client)).values()
        planned = resident.devices[-1].total_bytes
        assert resident.devices[-1].overhead_bytes == before.devices[-1].overhead_bytes
        assert before.devices[-1].overhead_bytes > taken
        assert resident.real_bytes < planned + (25 << 20)
        many = await show(client, 12)
        assert many.usage.prompt_tokens > 12 * projector.PATCHES
        (now,) = (await residents(client)).values()
        assert now.context == 2048, "they are counted where a guess says that they do not fit"


async def test_a_model_whose_projector_is_left_out_takes_and_sees_nothing(home: Home, eyes: Path) -> None:
    home.configure("", "pictures = false")
    async with engine_in(home) as client:
        (listed,) = await client.models()
        assert not listed.sees
        assert (await client.plan(PlanRequest((OWN,), exact=True))).plans[OWN].projector == ""
        end = await show(client)
        assert end.problem is not None
        assert f"{OWN} cannot be shown pictures" in end.problem.what


async def test_a_projector_that_llama_cpp_dies_of_costs_nothing_but_the_sight(home: Home, eyes: Path) -> None:
    projector.write_deadly(eyes)
    async with engine_in(home) as client:
        assert (await ask(client, OWN, "Hello")).finish in (FinishReason.STOP, FinishReason.LENGTH)
        end = await show(client)
        assert end.problem is not None
        assert "cannot be used: llama.cpp ended over it (qwen2vl.cpp:" in end.problem.what
        (resident,) = (await residents(client)).values()
        assert not resident.sees
    said = home.run("plan", OWN)
    assert "It cannot be shown pictures: mmproj" in said.stdout
    projector.write_llava(eyes)
    os.utime(eyes, (1, 1))
    async with engine_in(home) as client:
        await client.unload(OWN)
        assert (await show(client)).problem is None, "the file is another one now"


async def test_the_command_line_shows_and_plans_too(home: Home, eyes: Path, tmp_path: Path) -> None:
    (tmp_path / "sea.png").write_bytes(png(80, 60))
    said = home.run("plan", OWN, "--devices", "gpu:2GiB,ram:8GiB")
    assert "It can be shown pictures; 6" in said.stdout, said
    assert f"of the overhead are for {eyes.name}" in said.stdout
    asked = home.run(
        "ask", "What is it?", "--image", str(tmp_path / "sea.png"), "--max-tokens", "5", "--json"
    )
    assert json.loads(asked.stdout)["usage"]["prompt_tokens"] > projector.PATCHES
