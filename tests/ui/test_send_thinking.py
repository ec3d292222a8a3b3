"""What a model thought before earlier answers is not sent back to it, unless that is asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tests.ui.support import LARGE, Chat, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Sampling, Session
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.wire.api import CountRequest, Turn

MODEL = "SmolLM2-135M-Instruct.Q4_1"
THOUGHT = "The person wants a colour. Red is a colour, and so I shall say red and nothing else."
ASKED, SAID, NEXT = "Name a colour.", "Red.", "And another?"


def _session() -> Session:
    now = datetime.now(UTC)
    asked = Message(new_id(), Role.USER, ASKED, now)
    source = Answer(model=MODEL, finish=FinishReason.STOP)
    said = Message(new_id(), Role.ASSISTANT, SAID, now, asked.id, THOUGHT, source)
    return Session(
        id=new_id(),
        title="colours",
        created=now,
        updated=now,
        model=MODEL,
        sampling=Sampling(temperature=0.0, max_tokens=8),  # drawn at random, some answers never end
        leaf=said.id,
        messages=(asked, said),
    )


async def _counted(chat: Chat, thinking: str) -> int:
    """How many tokens the model's own template and tokenizer make of the conversation."""
    turns = (Turn(Role.USER, ASKED), Turn(Role.ASSISTANT, SAID, thinking), Turn(Role.USER, NEXT))
    return (await chat.workspace.engine_client.count(CountRequest(MODEL, turns))).total


async def _read(chat: Chat) -> int:
    """Ask the next question; how many tokens the model read."""
    await chat.say(NEXT)
    await chat.until(lambda: len(chat.conversation.tree.path()) == 4, "for the question")
    await chat.answered()
    return chat.conversation.tree.path()[-1].answer.usage.prompt_tokens


async def test_thinking_stays_here_unless_it_is_asked_for(chats: Chats) -> None:
    with SessionStore(chats.home.paths.sessions).create(_session()) as kept:
        session = kept.session
    async with chats.open(LARGE, Opening(name="colours")) as chat:
        without = await _read(chat)
        assert without == await _counted(chat, "")
        await chat.press("shift+tab", "u")
        await chat.until(lambda: len(chat.conversation.tree.path()) == 2, "for the question to go")
        await chat.press("f5")
        await chat.sees("thinking")
        await chat.press("t")
        await chat.sees("earlier thinking is sent back to the model", "▞ thinking")
        await chat.press("escape", "tab")
        chat.prompt.put("")
        read = await _read(chat)
        assert read == await _counted(chat, THOUGHT)
        assert read > without + 15
    reopened = SessionStore(chats.home.paths.sessions).open(session.id)
    with reopened:
        assert reopened.session.send_thinking
        assert msgspec.structs.replace(session, send_thinking=True).messages == reopened.session.messages[:2]
