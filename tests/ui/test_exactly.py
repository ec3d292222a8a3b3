"""An answer made again exactly: the same text, drawn or greedy, also by an engine that began anew."""

from __future__ import annotations

import msgspec

from tests.homes import answers_of
from tests.ui.support import SMALL, Chats
from tui_chat.chat.model import Answer, Sampling
from tui_chat.ui.opening import Opening

DRAWN = Sampling(temperature=0.8, max_tokens=16)
HOWS = {
    "with a seed of its own": DRAWN,
    "with a given seed": msgspec.structs.replace(DRAWN, seed=7),
    "greedy": msgspec.structs.replace(DRAWN, temperature=0.0),
}


async def test_the_same_answer_comes_again_here_and_from_another_engine(chats: Chats) -> None:
    said = {}
    for how, chats.sampling in HOWS.items():
        async with chats.open(SMALL) as chat:
            await chat.say("Tell me a story about a lighthouse.")
            await chat.answered()
            await chat.say("And then?")
            await chat.answered()
            await chat.press("shift+tab", "x")
            await chat.sees("‹ 2 of 2 ›")
            await chat.answered()
            _, first, again = answers_of(chat.conversation.session)
            said[how] = chat.conversation.session.id, first, again
    assert chats.home.run("engine", "stop").returncode == 0
    for how, chats.sampling in HOWS.items():
        session, first, again = said[how]
        async with chats.open(SMALL, Opening(name=session)) as chat:
            await chat.sees("‹ 2 of 2 ›")
            await chat.press("shift+tab", "x")
            await chat.sees("‹ 3 of 3 ›")
            await chat.answered()
            later = answers_of(chat.conversation.session)[-1]
        assert first.text == again.text == later.text, how
        assert _made(first.answer) == _made(again.answer) == _made(later.answer), how
    assert len(said["greedy"][1].text) > 20


def _made(answer: Answer) -> tuple[object, ...]:
    """What an answer was made with, as far as anybody can tell from it."""
    sampling = msgspec.structs.replace(answer.sampling, seed=answer.seed)
    return answer.model, sampling, answer.seed, answer.fingerprint, answer.finish, answer.usage.prompt_tokens
