"""Answers of servers in the chat: where words go, how an answer ended there, and what is only a guess."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.homes import Home
from tests.ui.snapshot import SIZES, check, named
from tests.ui.stand_in import StandIn
from tests.ui.support import SMALL, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import (
    Answer,
    FinishReason,
    Message,
    Problem,
    ProblemCode,
    Role,
    Session,
    Timings,
    Usage,
)
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.wire.api import ModelInfo, ModelState

MODEL = "gpu-box/meta-llama/Llama-3.3-70B-Instruct"
REMOTE = ModelInfo(
    id=MODEL,
    path=f"server:{MODEL}",
    size_bytes=0,
    state=ModelState.READY,
    context=131_072,
    trained_context=131_072,
    server="gpu-box",
    host="gpu-box.lab.example",
    fixed=True,
)
CUT = Problem(
    ProblemCode.PROMPT_CUT,
    "gpu-box has read 4,096 tokens of a conversation that has 9,120 or more: it left out the oldest.",
    kept="The answer is kept; it was written without them.",
    remedy="Load the model with more context, or have earlier messages dropped or summarised.",
)
GOES_ON = Problem(
    ProblemCode.CANNOT_STOP,
    "gpu-box is still writing, though the connection was closed: for somebody else, or because it cannot "
    "be stopped.",
    kept="The text so far is kept.",
)
BROKEN = Problem(
    ProblemCode.STREAM_BROKEN,
    "gpu-box broke off before the end of the answer.",
    kept="The text so far is kept.",
    remedy="Have it go on, or ask again.",
)
AWAY = Problem(
    ProblemCode.SERVER_UNREACHABLE,
    "gpu-box cannot be reached. Nothing answers there.",
    kept="Nothing was sent, and your message is kept.",
    remedy="Start it, or correct its address in the settings; or choose another model.",
)


def keep(home: Home, *endings: tuple[str, FinishReason, Problem | None]) -> None:
    """Write a session of questions, whose answers said that and ended so, in guessed tokens."""
    now = datetime.now(UTC)
    messages: list[Message] = []
    for text, finish, problem in endings:
        parent = messages[-1].id if messages else None
        asked = Message(new_id(), Role.USER, "And then?", now, parent)
        usage = Usage(40, 12, estimated=True) if text else Usage()
        timings = Timings(decode_tps=37.2, ttft_ms=900) if text else Timings()
        answer = Answer(model=MODEL, finish=finish, problem=problem, usage=usage, timings=timings)
        messages += [asked, Message(new_id(), Role.ASSISTANT, text, now, asked.id, "", answer)]
    session = Session(
        id=new_id(),
        title="far away",
        created=now,
        updated=now,
        model=MODEL,
        leaf=messages[-1].id,
        messages=tuple(messages),
    )
    SessionStore(home.paths.sessions).create(session).close()


@SIZES
async def test_how_answers_of_a_server_elsewhere_look(chats: Chats, size: tuple[int, int]) -> None:
    """One that was cut without a word, one that could not be stopped, and one that broke off."""
    keep(
        chats.home,
        ("It was written without the oldest.", FinishReason.STOP, CUT),
        ("It was stopped", FinishReason.CANCELLED, GOES_ON),
        ("It broke off", FinishReason.INTERRUPTED, BROKEN),
    )
    async with StandIn().serve(chats.home) as engine, chats.open(size, Opening(name="far away")) as chat:
        await engine.tell(REMOTE)
        await chat.sees("@gpu-box.lab.example", "~12 tokens", "~37.2 tok/s", "broke off before the end")
        await chat.sees("shift+tab and o go on with it · F9 try again · F2 another model")
        await check(named("served-answers", size), chat)


@pytest.mark.parametrize("width", [80, 60, 44])
async def test_where_the_words_go_is_said_in_every_width(chats: Chats, width: int) -> None:
    keep(chats.home, ("Far away.", FinishReason.STOP, None))
    async with StandIn().serve(chats.home) as engine, chats.open((width, 24), Opening(name="far")) as chat:
        await engine.tell(REMOTE)
        await chat.sees("@gpu-box.lab.example")
        assert "@gpu-box.lab.example" in chat.text().splitlines()[0]


async def test_a_server_that_is_away_can_be_asked_again_or_looked_at(chats: Chats) -> None:
    keep(chats.home, ("", FinishReason.BACKEND_ERROR, AWAY))
    async with StandIn().serve(chats.home) as engine, chats.open(SMALL, Opening(name="far")) as chat:
        await engine.tell(REMOTE)
        await chat.sees("F9 try again · Start it", "F11 servers", "F2 another model")
        assert "go on with it" not in chat.text(), "there is nothing to go on with"
