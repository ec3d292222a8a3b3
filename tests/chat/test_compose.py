"""What is sent to a model, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tui_chat.chat.compose import Line, NothingToAnswerError, Omission, compose
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.chat.tree import ChatTree

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def chat(*turns: tuple[str, str, FinishReason | None] | tuple[str, str], system: str = "") -> ChatTree:
    """Turns as ("user", text), ("system", text) or ("assistant", text, how it ended)."""
    tree = ChatTree(Session(id="talk", created=NOW, updated=NOW, system=system))
    for index, (role, text, *finish) in enumerate(turns):
        answer = (
            Answer("m", finish=finish[0] if finish else FinishReason.STOP) if role == "assistant" else None
        )
        tree.add(
            Message(
                f"m{index}", Role(role), text, NOW, tree.leaf, thinking="hm" if answer else "", answer=answer
            )
        )
    return tree


def said(*lines: tuple[str, str]) -> tuple[Line, ...]:
    return tuple(Line(Role(role), text) for role, text in lines)


def test_the_active_branch_is_sent_with_the_system_prompt_first() -> None:
    tree = chat(("user", "a"), ("assistant", "b"), ("user", "c"), system="Be kind.")
    composed = compose(tree)
    assert composed.lines == said(("system", "Be kind."), ("user", "a"), ("assistant", "b"), ("user", "c"))
    assert composed.left_out == ()
    assert compose(tree, "m0").lines == said(("system", "Be kind."), ("user", "a"))


def test_the_place_of_the_answer_is_not_sent() -> None:
    composed = compose(chat(("user", "a"), ("assistant", "so far", None)))
    assert composed.lines == said(("user", "a"))
    assert composed.left_out == (("m1", Omission.IN_FLIGHT),)


def test_a_partial_answer_is_sent_and_an_empty_one_is_not() -> None:
    tree = chat(
        ("user", "a"),
        ("assistant", "half an", FinishReason.CANCELLED),
        ("user", "b"),
        ("assistant", " \n", FinishReason.WORKER_DIED),
        ("user", "c"),
    )
    composed = compose(tree)
    assert composed.lines == said(("user", "a"), ("assistant", "half an"), ("user", "b\n\nc"))
    assert composed.left_out == (("m3", Omission.EMPTY),)


def test_the_same_question_asked_again_after_a_failure_is_sent_once() -> None:
    composed = compose(chat(("user", "a"), ("assistant", "", FinishReason.WORKER_DIED), ("user", "a")))
    assert composed.lines == said(("user", "a"))
    assert composed.left_out == (("m1", Omission.EMPTY), ("m2", Omission.REPEATED))


def test_system_messages_are_gathered_at_the_top() -> None:
    tree = chat(("system", "One."), ("user", "a"), ("system", "Two."), ("user", "b"), system="Zero.")
    assert compose(tree).lines == said(("system", "Zero.\n\nOne.\n\nTwo."), ("user", "a\n\nb"))


def test_a_greeting_before_the_first_question_is_not_sent() -> None:
    composed = compose(chat(("assistant", "Hello!"), ("user", "a")))
    assert composed.lines == said(("user", "a"))
    assert composed.left_out == (("m0", Omission.BEFORE_FIRST_QUESTION),)


def test_nothing_to_answer_is_an_error() -> None:
    for tree in (
        chat(),
        chat(("user", "a"), ("assistant", "b")),
        chat(("user", "  ")),
        chat(("system", "s")),
    ):
        with pytest.raises(NothingToAnswerError):
            compose(tree)
