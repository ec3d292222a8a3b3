"""When a model's process gives out in the middle of an answer: another goes on, if that is wished."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from tests.homes import answers_of
from tests.ui.support import LARGE, Chat, Chats
from tui_chat.chat.model import FinishReason, ProblemCode
from tui_chat.config.settings import ModelSettings, Settings


def settings(chats: Chats, fallback: str) -> Settings:
    sampling = msgspec.structs.replace(chats.sampling, max_tokens=120)
    return Settings(sampling=sampling, models=ModelSettings(default="SmolLM2", fallback=fallback))


async def kill_in_the_middle(chat: Chat, chats: Chats) -> None:
    await chat.say("Write a long story about a lighthouse keeper.")
    await chat.until(chats.home.worker, "for its process")  # it takes a while to find, and the answer goes on
    worker = chats.home.worker()
    await chat.until(lambda: chat.conversation.live and chat.conversation.live.text, "for some text")
    assert worker is not None
    worker.kill()


async def test_the_fallback_answers_beside_what_there_was(chats: Chats, starter_model: Path) -> None:
    shutil.copyfile(starter_model, chats.home.paths.models / "spare.gguf")
    async with chats.open(LARGE, settings=settings(chats, "spare")) as chat:
        await kill_in_the_middle(chat, chats)
        await chat.sees("spare answers", "from here on.", "F2 another model")
        await chat.answered()
        await chat.sees("‹ 2 of 2 ›")
        session = chat.conversation.session
    partial, whole = answers_of(session)
    assert partial.text
    assert partial.answer.finish is FinishReason.WORKER_DIED
    assert whole.parent == partial.parent
    assert (whole.answer.model, session.model) == ("spare", "spare")
    assert whole.answer.finish in (FinishReason.STOP, FinishReason.LENGTH)


async def test_a_fallback_that_is_not_there_is_tried_once(chats: Chats) -> None:
    async with chats.open(LARGE, settings=settings(chats, "nowhere")) as chat:
        await kill_in_the_middle(chat, chats)
        await chat.until(lambda: len(answers_of(chat.conversation.session)) == 2, "for the second answer")
        await chat.answered()
        await chat.sees("F9 try again", "F2 another model")
        _, second = answers_of(chat.conversation.session)
    assert second.answer.problem.code is ProblemCode.MODEL_UNKNOWN
