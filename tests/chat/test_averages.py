"""How quick a session was on average."""

from __future__ import annotations

from tests.strategies import START
from tui_chat.chat.averages import Averages, averages_of
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session, Timings, Usage


def test_averages_weigh_each_token_the_same() -> None:
    """Not each answer: 99 steps in 1 s and 1 in 1 s are 50 tokens per second."""

    def of(name: str, **how: object) -> Message:
        made = Answer(model="small", finish=FinishReason.STOP, **how)  # type: ignore[arg-type]
        return Message(name, Role.ASSISTANT, "x", START, answer=made)

    one = Timings(ttft_ms=300.0, prefill_ms=200.0, decode_ms=1000.0, decode_tps=99.0)
    short = Timings(ttft_ms=100.0, prefill_ms=4.0, decode_ms=1000.0, decode_tps=1.0)
    messages = (
        of("a", usage=Usage(80, 100), timings=one),
        of("b", usage=Usage(180, 2, reused_tokens=179), timings=short),
        of("never began"),
        Message("writing", Role.ASSISTANT, "", START, answer=Answer(model="small")),
    )
    session = Session(id="talk", created=START, updated=START, messages=messages)
    assert averages_of(session) == Averages(answers=3, decode_tps=50.0, prefill_tps=400.0, ttft_s=0.2)
    assert averages_of(Session(id="new", created=START, updated=START)) == Averages(answers=0)
