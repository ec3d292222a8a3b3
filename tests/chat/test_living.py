"""What was removed no longer counts, and goes for good after a while, with nothing left that names it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import START, moments, sessions
from tui_chat.chat.living import living
from tui_chat.chat.model import Act, Answer, FinishReason, Marks, Message, Role, Session, Shape, Step
from tui_chat.chat.purge import purged
from tui_chat.chat.tags import tidy_tags
from tui_chat.chat.tree import ChatTree

LATER = START + timedelta(days=40)


def chat(*messages: tuple[str, str | None, int | None], **fields: object) -> Session:
    """A session of messages, each an id, its parent and the day it was removed on."""
    made = tuple(
        Message(
            name, Role.USER, name, START, parent, removed=None if day is None else START + timedelta(days=day)
        )
        for name, parent, day in messages
    )
    return Session(id="talk", created=START, updated=START, messages=made, **fields)  # type: ignore[arg-type]


def ids(session: Session) -> list[str]:
    return [message.id for message in session.messages]


@given(sessions())
def test_living_is_what_the_tree_does_not_call_removed(session: Session) -> None:
    tree = ChatTree(session)
    assert living(session.messages) == tuple(m for m in session.messages if not tree.is_removed(m.id))


@given(sessions(), moments)
def test_a_purged_session_is_a_tree_and_keeps_all_that_lives(session: Session, before) -> None:
    left = purged(session, before)
    ChatTree(left)
    assert {m.id for m in living(session.messages)} <= {m.id for m in left.messages}
    assert all(m.removed is None or m.removed >= before for m in left.messages)
    assert purged(left, before) == left


def test_only_what_was_removed_long_ago_goes_with_all_below_it() -> None:
    session = chat(("a", None, None), ("b", "a", 1), ("c", "b", None), ("d", "a", 30), leaf="c")
    left = purged(session, START + timedelta(days=10))
    assert ids(left) == ["a", "d"]
    assert left.leaf == "a"
    assert purged(session, START) is session


def test_a_branch_that_is_being_written_stays() -> None:
    session = chat(("a", None, 1), ("b", "a", None), ("c", None, 1))
    writing = msgspec.structs.replace(session.messages[1], role=Role.ASSISTANT, answer=Answer("m"))
    session = msgspec.structs.replace(session, messages=(session.messages[0], writing, session.messages[2]))
    assert ids(purged(session, LATER)) == ["a", "b"]


def test_steps_up_to_the_last_that_names_what_is_gone_go_too() -> None:
    steps = (
        Step(Act.SEND, added=("a",)),
        Step(Act.REMOVE, marks={"b": (Marks(), Marks(removed=START))}),
        Step(Act.SHOW, before=Shape(leaf="a"), after=Shape(leaf="d")),
        Step(Act.NAME, marks={"d": (Marks(), Marks(name="x"))}),
    )
    session = chat(("a", None, None), ("b", "a", 1), ("d", "a", None), steps=steps, undone=steps[1:3])
    left = purged(session, LATER)
    assert left.steps == steps[2:]
    assert left.undone == steps[2:3]
    shown = Step(Act.SHOW, before=Shape(leaf="b"), after=Shape(leaf=None))
    assert purged(msgspec.structs.replace(session, steps=(shown, steps[3])), LATER).steps == (steps[3],)


def test_an_answer_forgets_which_it_goes_on_with_when_that_is_gone() -> None:
    session = chat(("a", None, None), ("b", "a", 1), ("c", "a", None))
    goes_on = Answer("m", finish=FinishReason.STOP, continues="b")
    last = msgspec.structs.replace(session.messages[2], role=Role.ASSISTANT, answer=goes_on)
    session = msgspec.structs.replace(session, messages=(*session.messages[:2], last))
    answer = purged(session, LATER).messages[-1].answer
    assert answer is not None
    assert answer.continues is None


@given(st.lists(st.text()))
def test_tags_are_tidy_and_stay_so(given_tags: list[str]) -> None:
    tidy = tidy_tags(given_tags)
    assert tidy_tags(tidy) == tidy
    assert len({tag.casefold() for tag in tidy}) == len(tidy)
    assert not any("," in tag or "\n" in tag or len(tag) > 40 for tag in tidy)


def test_tags_as_people_type_them() -> None:
    assert tidy_tags(["#work", "Work", " long  walks, 茶 ,", ""]) == ("work", "long walks", "茶")
