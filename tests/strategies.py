"""Conversations of any shape, for hypothesis: branches, odd texts, removed messages, setups and cuts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from tui_chat.chat.attachments import Attachment, PictureRef
from tui_chat.chat.model import (
    Answer,
    FinishReason,
    Message,
    Role,
    Sampling,
    Session,
    Setup,
    Timings,
    Usage,
)
from tui_chat.chat.policy import Cut, CutReason, PolicyKind

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

texts = st.text(st.characters(codec="utf-8"), max_size=30)
REMOVALS = (START, START + timedelta(days=3))

moments = st.integers(0, 10**9).map(lambda ms: START + timedelta(milliseconds=ms))
answers = st.sampled_from(  # built once: drawing each field takes longer than what is tested
    [
        Answer("SmolLM2-135M", finish=FinishReason.STOP, timings=Timings(ttft_ms=0.1, decode_tps=60.3)),
        Answer("SmolLM2-135M", Sampling(temperature=0.0, seed=7), 7, finish=FinishReason.CANCELLED),
        Answer("qwen3:8b", finish=FinishReason.LENGTH, usage=Usage(40, 172, 12), continues="m1"),
    ]
)
attachments = st.sampled_from(
    [
        (),
        (Attachment("notes.md", "tea\n", 4), Attachment("", "pasted")),
        (Attachment("sea.png", "", 70, PictureRef("image/png", "0" * 64, 800, 600)),),
    ]
)
setups = st.sampled_from([None, Setup("Be a teacher.", preset="teacher"), Setup()])
cuts = st.sampled_from(
    [
        None,
        Cut(None, CutReason.FILL, PolicyKind.SLIDING, 2, 300),
        Cut("m0", CutReason.HAND, PolicyKind.RESET, restored=True),
    ]
)


@st.composite
def messages(draw: st.DrawFn, id: str, parents: list[str]) -> Message:
    """A message below one of `parents`, or a first one."""
    role = draw(st.sampled_from(Role))
    system = role is Role.SYSTEM
    return Message(
        id=id,
        role=role,
        text=draw(texts),
        created=draw(moments),
        parent=draw(st.sampled_from([None, *parents])),
        thinking=draw(texts) if role is Role.ASSISTANT else "",
        answer=draw(answers) if role is Role.ASSISTANT else None,
        name=draw(st.sampled_from(["", "a name"])),
        pinned=draw(st.booleans()),
        removed=draw(st.sampled_from([None, None, *REMOVALS])),
        setup=draw(setups) if system else None,
        cut=draw(cuts) if system else None,
        attachments=draw(attachments) if role is Role.USER else (),
    )


@st.composite
def sessions(draw: st.DrawFn, id: str = "talk", most: int = 8) -> Session:
    """A session of up to `most` messages, whose leaf is any of them."""
    made: list[Message] = []
    for index in range(draw(st.integers(0, most))):
        made.append(draw(messages(f"m{index}", [message.id for message in made])))
    return Session(
        id=id,
        title=draw(texts),
        created=START,
        updated=draw(moments),
        tags=tuple(draw(st.lists(st.sampled_from(["work", "two words", "茶"]), unique=True))),
        leaf=draw(st.sampled_from([None, *(message.id for message in made)])),
        messages=tuple(made),
    )


@st.composite
def grown(draw: st.DrawFn, session: Session) -> Session:
    """`session` after some of its messages were replaced, some taken out at the end, and some added."""
    kept = [
        msgspec.structs.replace(message, text=draw(texts)) if draw(st.booleans()) else message
        for message in session.messages[: draw(st.integers(0, len(session.messages)))]
    ]
    for index in range(len(kept), len(kept) + draw(st.integers(0, 3))):
        kept.append(draw(messages(f"new{index}", [message.id for message in kept])))
    return msgspec.structs.replace(session, title=draw(texts), messages=tuple(kept), leaf=None)
