"""Where a message with a picture goes: routes, fallbacks, long conversations, servers that tell nothing."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator

import msgspec
import pytest

from tests.homes import Home
from tests.pictures import png
from tests.servers.ollama_stand_in import OllamaStandIn, Status, ollama_in_thread
from tests.servers.openai_kinds import VLLMStandIn
from tests.servers.openai_stand_in import MODEL
from tests.servers.small_ollama import Model
from tests.servers.test_routes import OWN, answered, by, working
from tui_chat.chat.acts import Regenerate
from tui_chat.chat.attachments import Attachment
from tui_chat.chat.measure import PICTURE_TOKENS
from tui_chat.chat.model import FinishReason, ProblemCode
from tui_chat.chat.pictures import look_at
from tui_chat.chat.routing import Routes
from tui_chat.client.changes import Raised
from tui_chat.client.conversation import Conversation

EYES, TINY = "ollama/eyes:1b", "ollama/tiny:1b"
SEA = png(800, 600)
SEEN = Attachment("sea.png", "", len(SEA), look_at(SEA))
SHOWN = base64.b64encode(SEA).decode()


@pytest.fixture
def ollama() -> Iterator[OllamaStandIn]:
    with ollama_in_thread(Model("eyes:1b", capabilities=("completion", "vision")), Model("tiny:1b")) as it:
        yield it


def heard(chat: Conversation) -> list[ProblemCode]:
    """What will have been told."""
    codes: list[ProblemCode] = []
    chat.subscribe(lambda change: codes.append(change.problem.code) if isinstance(change, Raised) else None)
    return codes


async def with_sea(chat: Conversation) -> Conversation:
    """A chat in which the picture can be attached."""
    chat.pictures.put(SEEN.picture, SEA)
    return chat


async def test_routes_have_it_seen_and_a_word_for_the_blind_is_refused(
    home: Home, ollama: OllamaStandIn
) -> None:
    async with working(home, ollama, Routes(fast=TINY, chat=EYES)) as workspace:
        chat = await with_sea(await workspace.new_chat())
        codes = heard(chat)
        assert by(await answered(chat, "Hello")) == (TINY, "a short question")
        assert await chat.send("What is it?", (SEEN,))
        answer = await answered(chat, "Thanks")
        question = next(m for m in chat.tree.path() if m.pictures)
        (seen,) = (m for m in chat.session.messages if m.parent == question.id)
        assert by(seen) == (EYES, "a picture in the message")
        assert ollama.asked("/api/chat")[1]["messages"][-1]["images"] == [SHOWN]
        assert by(answer)[0] == TINY
        assert codes == [ProblemCode.PICTURE_LEFT_OUT]
        assert not await chat.send("/fast What is it?", (SEEN,))
        assert codes[1:] == [ProblemCode.PICTURE_UNSEEN]
        await chat.close()


async def test_a_blind_fallback_answers_and_is_told_its_name(home: Home, ollama: OllamaStandIn) -> None:
    ollama.play("/api/chat", Status(500, '{"error": "model runner has unexpectedly stopped"}'))
    async with working(home, ollama, Routes(), fallback=OWN) as workspace:
        chat = await with_sea(await workspace.new_chat())
        await chat.choose_model(EYES)
        codes = heard(chat)
        assert await chat.send("What is it?", (SEEN,))
        told = await answered_by_fallback(chat)
        assert told in (FinishReason.STOP, FinishReason.LENGTH), "our own worker is sent text alone"
        assert set(codes) == {ProblemCode.FELL_BACK, ProblemCode.PICTURE_LEFT_OUT}
        outlook = await chat.foresee("And now?")
        assert outlook is not None
        assert outlook.need.prompt < PICTURE_TOKENS, "what is not shown takes nothing"
        await chat.choose_model(EYES)
        outlook = await chat.foresee("And now?")
        assert outlook is not None
        assert outlook.need.prompt > PICTURE_TOKENS
        assert not outlook.need.counted, "nobody can know before"
        await chat.close()


async def answered_by_fallback(chat: Conversation) -> FinishReason | None:
    """Wait for the answer of our own model; how it ended."""
    async with asyncio.timeout(60):
        while len(chat.session.messages) < 3 or chat.lives:
            await asyncio.sleep(0.01)
    (last,) = (m for m in chat.session.messages if m.answer and m.answer.model == OWN)
    return last.answer.finish if last.answer else None


async def test_a_question_without_word_and_picture_is_not_asked(home: Home, ollama: OllamaStandIn) -> None:
    """Other programs keep such; the tree stays as it was."""
    async with working(home, ollama, Routes()) as workspace:
        chat = await workspace.new_chat()
        await chat.choose_model(TINY)
        await answered(chat, "Hello")
        asked, answer = chat.tree.path()
        chat.tree.replace(msgspec.structs.replace(asked, text=""))
        codes = heard(chat)
        assert await chat.do(Regenerate(answer.id)) is None
        assert codes == [ProblemCode.BAD_REQUEST]
        assert [m.id for m in chat.tree.path()] == [asked.id, answer.id]
        assert not chat.lives
        await chat.close()


async def test_a_server_that_does_not_tell_is_shown_it(home: Home) -> None:
    stand_in = VLLMStandIn()
    try:
        home.configure(f'[servers.box]\nurl = "{stand_in.url}"\nkind = "vllm"\n')
        (home.root / "sea.png").write_bytes(SEA)
        done = home.run(
            "ask", "What is it?", "--image", str(home.root / "sea.png"), "--model", f"box/{MODEL}"
        )
        assert (done.returncode, done.stderr) == (0, "")
        (sent,) = stand_in.chats
        assert sent["messages"][-1]["content"][0]["image_url"]["url"] == f"data:image/png;base64,{SHOWN}"
    finally:
        stand_in.close()
