"""Long messages: what sending them takes is said before, and what cannot be sent stays in the input."""

from __future__ import annotations

import msgspec

from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.config.settings import ModelSettings, Settings
from tui_chat.wire.api import LoadRequest

WORDS = "word " * 9000
"""More than the starter model's 8,192 tokens."""


def settings(chats: Chats, **models: object) -> Settings:
    """Settings of the screen, and the same for the engine."""
    chats.home.configure("", models="\n".join(f"{name} = {value}" for name, value in models.items()))
    return Settings(sampling=chats.sampling, models=msgspec.convert(models, ModelSettings))


async def first_answer(chat: Chat) -> None:
    await chat.say("Hello.")
    await chat.answered()
    await chat.until(lambda: chat.workspace.engine and chat.workspace.engine.residents, "for the model")


async def test_what_no_context_can_hold_is_not_sent_and_not_lost(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await first_answer(chat)
        chat.prompt.put(WORDS)
        await chat.sees("too long to send: 9,")
        await chat.press("enter")
        await chat.sees("reads no more", "Nothing was sent; your", "Shorten the message.")
        assert chat.prompt.text == WORDS.strip()
        assert len(chat.conversation.tree.path()) == 2
        chat.prompt.put("And now?")
        await chat.until(lambda: "too long" not in chat.text(), "for the warning to go")
        await chat.press("enter")
        await chat.until(lambda: len(chat.conversation.tree.path()) == 4, "for the message to be sent")
        await chat.answered()


async def test_a_context_that_will_grow_is_told_before(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await chat.workspace.load(LoadRequest(chat.conversation.session.model, context=512))
        await first_answer(chat)
        await chat.sees("ctx 512")
        chat.prompt.put("word " * 600)
        await chat.sees("sending grows the context to 1k")
        await chat.press("enter")
        await chat.until(lambda: len(chat.conversation.tree.path()) == 4, "for the message to be sent")
        await chat.answered()
        await chat.sees("ctx 1k")


async def test_what_there_is_no_memory_for_is_refused_before_anything_goes(chats: Chats) -> None:
    small = settings(chats, context=2048, ram_limit_mib=232)
    async with chats.open(LARGE, settings=small) as chat:
        await first_answer(chat)
        chat.prompt.put("word " * 7000)
        await chat.sees("too long to send: 7,")
        await chat.press("enter")
        await chat.sees("there is no memory for", "Nothing was sent or unloaded")
        assert chat.prompt.text.split() == ["word"] * 7000
        assert chat.workspace.engine is not None
        (resident,) = chat.workspace.engine.residents
        assert resident.state.in_memory
