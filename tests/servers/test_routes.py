"""Messages on their way to the model that is for them, with the real engine between two servers' models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.homes import Home
from tests.servers.ollama_stand_in import OllamaStandIn, Status, ollama_in_thread
from tests.servers.ollama_support import give_blob
from tests.servers.small_ollama import Model
from tui_chat.chat.model import FinishReason, Message, ProblemCode, Role, Sampling
from tui_chat.chat.routing import Pair, Routes
from tui_chat.client.changes import Raised
from tui_chat.client.conversation import Conversation
from tui_chat.client.workspace import Workspace
from tui_chat.config.settings import ModelSettings, Settings
from tui_chat.wire.api import LoadRequest

TINY, WISE = "ollama/tiny:1b", "ollama/wise:1b"
OWN = "SmolLM2-135M-Instruct.Q4_1"
LONG = "Tell me of the sea, the wind and the old lighthouse. " * 8
PAIR = Routes(pair=Pair(TINY, WISE, longer_than=60))


@pytest.fixture
def ollama() -> Iterator[OllamaStandIn]:
    with ollama_in_thread(
        Model("tiny:1b", answer="Tiny says so."), Model("wise:1b", answer="Wise says so.")
    ) as it:
        yield it


@asynccontextmanager
async def working(
    home: Home, ollama: OllamaStandIn, routes: Routes, models: str = "", fallback: str | None = None
) -> AsyncIterator[Workspace]:
    home.configure(f'[servers.ollama]\nurl = "{ollama.url}"\n', models)
    sampling = Sampling(temperature=0, max_tokens=8)
    workspace = Workspace(
        home.paths, Settings(routes=routes, sampling=sampling, models=ModelSettings(fallback=fallback))
    )
    await workspace.start()
    try:
        yield workspace
    finally:
        await workspace.stop()


async def answered(chat: Conversation, text: str, model: str | None = None) -> Message:
    """Send `text`; the answer, or that of `model`, once it is over."""
    assert await chat.send(text)
    async with asyncio.timeout(60):
        while not (found := _over(chat, model)):
            await asyncio.sleep(0.01)
    return found


def _over(chat: Conversation, model: str | None) -> Message | None:
    last = chat.tree.path()[-1]
    if chat.live or last.in_flight or last.answer is None or model not in (None, last.answer.model):
        return None
    return last


def by(answer: Message) -> tuple[str, str]:
    assert answer.answer is not None
    return answer.answer.model, answer.answer.route


async def test_each_message_goes_where_it_belongs_and_says_why(home: Home, ollama: OllamaStandIn) -> None:
    async with working(home, ollama, PAIR) as workspace:
        chat = await workspace.new_chat()
        assert (chat.session.routed, chat.session.model) == (True, TINY)
        assert by(await answered(chat, "Hello")) == (TINY, "a short question")
        outlook = await chat.foresee(LONG)
        assert outlook is not None
        assert outlook.route is not None
        assert outlook.route.model == WISE, "it is known before it is sent"
        told = await answered(chat, LONG)
        assert by(told) == (WISE, "a long message")
        assert told.text == "Wise says so."
        asked = await answered(chat, "/small Hello again")
        assert by(asked) == (TINY, "asked for")
        question = next(m for m in reversed(chat.tree.path()) if m.role is Role.USER)
        assert question.text == "Hello again", "the word that chose the route is not said to the model"
        await chat.choose_model(WISE)
        assert by(await answered(chat, "Hello")) == (WISE, ""), "a choice ends the routing"
        await chat.close()


async def test_a_route_unloads_nobody_unless_it_was_asked_for(
    home: Home, ollama: OllamaStandIn, starter_model: Path
) -> None:
    give_blob(home.root / "ollama", ollama, "tiny:1b", starter_model)
    routes = Routes(pair=Pair(TINY, OWN, longer_than=60))
    async with working(home, ollama, routes, "ram_limit_mib = 560\ncontext = 8192") as workspace:
        chat = await workspace.new_chat()
        await workspace.load(LoadRequest(TINY, context=8192))
        model, why = by(await answered(chat, LONG))
        assert (model, why) == (TINY, f"not {OWN}: it would unload {TINY}")
        assert by(await answered(chat, f"/large {LONG}")) == (OWN, "asked for")
        assert ollama.world.running() == [], "asked for, it is worth that"
        await chat.close()


async def test_where_the_server_fails_the_fallback_answers_beside_what_there_was(
    home: Home, ollama: OllamaStandIn
) -> None:
    ollama.play("/api/chat", *([Status(500, '{"error": "model runner has unexpectedly stopped"}')]))
    async with working(home, ollama, Routes(), fallback=OWN) as workspace:
        chat = await workspace.new_chat()
        await chat.choose_model(TINY)
        raised: list[Raised] = []
        chat.subscribe(lambda change: raised.append(change) if isinstance(change, Raised) else None)
        told = await answered(chat, "Hello", OWN)
        assert told.answer is not None
        assert told.answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
        failed, _ = chat.tree.siblings(told.id)
        assert failed.answer is not None
        assert failed.answer.problem is not None
        assert failed.answer.problem.code is ProblemCode.SERVER_FAILED
        assert [each.problem.code for each in raised] == [ProblemCode.FELL_BACK], "and that is said"
        await chat.close()
