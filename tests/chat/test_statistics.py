"""What a session has cost is added up over all of its branches, without what was removed."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given

from tests.strategies import START, sessions
from tui_chat.chat.living import living
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session, Timings, Usage
from tui_chat.chat.statistics import ModelUse, Speed, statistics_of


def answer(name: str, parent: str, model: str, minute: int, tps: float | None, **fields: object) -> Message:
    made = Answer(
        model=model,
        finish=fields.pop("finish", FinishReason.STOP),  # type: ignore[arg-type]
        usage=Usage(prompt_tokens=100, completion_tokens=20, reused_tokens=80),
        timings=Timings(ttft_ms=500.0, decode_ms=2000.0, decode_tps=tps, thinking_ms=250.0),
    )
    when = START + timedelta(minutes=minute)
    return Message(name, Role.ASSISTANT, "x", when, parent, answer=made, **fields)  # type: ignore[arg-type]


def test_a_session_of_two_models() -> None:
    messages = (
        Message("q", Role.USER, "?", START),
        answer("a", "q", "small", 3, 60.0),
        answer("b", "q", "small", 1, 20.0, finish=FinishReason.CANCELLED),
        answer("c", "q", "large", 2, None),
        answer("d", "q", "large", 4, 9.0, removed=START),
        Message("s", Role.SYSTEM, "told", START, "a"),
    )
    found = statistics_of(Session(id="talk", created=START, updated=START, messages=messages))
    assert (found.messages, found.questions, found.answers, found.branches) == (4, 1, 3, 3)
    assert (found.tokens_evaluated, found.tokens_reused, found.tokens_written) == (60, 240, 60)
    assert (found.waiting_s, found.decoding_s, found.thinking_s) == (1.5, 6.0, 0.75)
    assert found.models == (
        ModelUse(model="small", answers=2, complete=1, tokens_written=40, decode_tps=40.0, ttft_ms=500.0),
        ModelUse(model="large", answers=1, complete=1, tokens_written=20, decode_tps=None, ttft_ms=500.0),
    )
    minute = timedelta(minutes=1)
    assert found.speeds == (
        Speed(START + minute, "small", 20.0, 100),
        Speed(START + 3 * minute, "small", 60.0, 100),
    )
    assert (found.first, found.last) == (START, START + 3 * minute)


@given(sessions())
def test_any_session_is_added_up(session: Session) -> None:
    found = statistics_of(session)
    said = [message for message in living(session.messages) if message.said]
    assert found.messages == len(said) == found.questions + found.answers
    assert sum(use.answers for use in found.models) == found.answers
    assert (found.branches == 0) is (not living(session.messages))
