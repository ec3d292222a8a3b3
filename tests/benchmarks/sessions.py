"""Sessions of any length, filled with text of the kind that models write."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session, Timings, Usage

_TEXT = """
the sea light keeper storm lamp rock boat wind night harbour glass stair tide gull iron door letter rope
morning slowly before after under between where which could would remember answer question small quiet
bright heavy broken patient and or but because until while though only always never again
"""
_WORDS = _TEXT.split()


def prose(random_: random.Random, words: int) -> str:
    """Paragraphs of `words` words, with a heading, a list and a fence now and then."""
    parts: list[str] = []
    left = words
    while left > 0:
        count = min(left, random_.randint(30, 70))
        text = " ".join(random_.choice(_WORDS) for _ in range(count))
        kind = random_.random()
        if kind < 0.1:
            text = f"## {text[:40]}\n\n{text[40:]}"
        elif kind < 0.25:
            text = "\n".join(f"- **{w}** {w} {w}" for w in text.split()[: count // 3])
        elif kind < 0.35:
            text = "```python\n" + "\n".join(f"{w} = {i}" for i, w in enumerate(text.split()[:12])) + "\n```"
        parts.append(text)
        left -= count
    return "\n\n".join(parts)


def long_session(messages: int, words: int = 300, model: str = "SmolLM2-135M-Instruct.Q4_1") -> Session:
    """A session of `messages` messages of about `words` words; the last one ends with ``THE-END``."""
    random_ = random.Random(7)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    answer = Answer(
        model=model,
        finish=FinishReason.STOP,
        usage=Usage(prompt_tokens=900, completion_tokens=400, reused_tokens=850),
        timings=Timings(ttft_ms=90.0, decode_ms=2000.0, decode_tps=200.0),
    )
    made: list[Message] = []
    for index in range(messages):
        asks = index % 2 == 0
        text = prose(random_, words) + ("\n\nTHE-END" if index == messages - 1 else "")
        made.append(
            Message(
                id=f"20260101-000000-{index:08d}",
                role=Role.USER if asks else Role.ASSISTANT,
                text=text,
                created=now + timedelta(seconds=index),
                parent=made[-1].id if made else None,
                answer=None if asks else answer,
            )
        )
    return Session(
        id=f"20260101-000000-{messages:08d}",
        title=f"{messages} messages",
        created=now,
        updated=now,
        model=model,
        leaf=made[-1].id,
        messages=tuple(made),
    )
