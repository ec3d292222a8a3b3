"""The tree over a flat session: branches, siblings, and what is no tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tui_chat.chat.model import Message, Role, Session
from tui_chat.chat.tree import ChatTree, TreeError, check_tree

START = datetime(2026, 11, 20, tzinfo=UTC)


def message(id: str, parent: str | None = None, text: str = "", after: int = 0) -> Message:
    return Message(id, Role.USER, text or id, START + timedelta(seconds=after), parent)


def tree(*messages: Message, leaf: str | None = None) -> ChatTree:
    return ChatTree(Session(id="talk", created=START, updated=START, messages=messages, leaf=leaf))


def test_a_branch_is_followed_from_its_leaf() -> None:
    chat = tree(message("a"), message("b", "a"), message("c", "b"), message("d", "a"), leaf="c")
    assert [m.id for m in chat.path()] == ["a", "b", "c"]
    assert [m.id for m in chat.path("d")] == ["a", "d"]
    assert [m.id for m in chat.children("a")] == ["b", "d"]
    assert [m.id for m in chat.children(None)] == ["a"]
    assert [m.id for m in chat.siblings("d")] == ["b", "d"]
    assert chat.deepest("a") == "d"
    assert chat.deepest("b") == "c"
    assert tree().path() == []


def test_adding_moves_the_leaf_and_keeps_everything() -> None:
    chat = tree(message("a"), leaf="a")
    before = chat.session
    chat.add(message("b", "a", after=5))
    chat.add(message("c", "a", after=3))
    assert chat.leaf == "c"
    assert [m.id for m in chat.session.messages] == ["a", "b", "c"]
    assert chat.session.updated == START + timedelta(seconds=5), "time does not run backwards"
    assert len(before.messages) == 1, "the old session is what it was"
    chat.update(leaf="b", title="New")
    assert (chat.session.leaf, chat.session.title) == ("b", "New")


def test_replacing_keeps_the_place() -> None:
    chat = tree(message("a"), message("b", "a"), message("c", "b"), leaf="c")
    chat.replace(message("b", "a", text="changed"))
    assert [m.text for m in chat.path()] == ["a", "changed", "c"]
    assert [m.id for m in chat.session.messages] == ["a", "b", "c"]


def test_what_would_break_the_tree_is_refused() -> None:
    chat = tree(message("a"), message("b", "a"), leaf="b")
    for change in (
        lambda: chat.add(message("a")),
        lambda: chat.add(message("x", "gone")),
        lambda: chat.replace(message("b")),
        lambda: chat.update(leaf="gone"),
        lambda: chat.update(messages=()),
    ):
        with pytest.raises(TreeError):
            change()
    with pytest.raises(KeyError):
        chat.replace(message("gone"))
    assert [m.id for m in chat.path()] == ["a", "b"]


def test_circles_doubles_and_orphans_are_found() -> None:
    check_tree([message("b", "a"), message("a")])  # any order will do
    for messages in (
        [message("a", "a")],
        [message("a", "b"), message("b", "a")],
        [message("r"), message("a", "c"), message("b", "a"), message("c", "b")],
        [message("a"), message("a")],
        [message("a", "gone")],
    ):
        with pytest.raises(TreeError):
            check_tree(messages)


def test_a_long_branch_needs_no_deep_stack() -> None:
    messages = [message("m0")] + [message(f"m{i}", f"m{i - 1}") for i in range(1, 20_000)]
    chat = tree(*reversed(messages), leaf="m19999")
    assert len(chat.path()) == 20_000
