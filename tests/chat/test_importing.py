"""Conversations of other programs arrive whole, as new sessions; what is wrong is said with its place."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import sessions
from tui_chat.chat.export.json import to_json
from tui_chat.chat.importing.read import ImportFailedError, read_sessions
from tui_chat.chat.model import FinishReason, Message, Role, Session, Setup
from tui_chat.chat.tree import ChatTree
from tui_chat.store.upgrades import lift

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FIXTURES = Path(__file__).parent.parent / "store" / "fixtures"


def read(raw: Any) -> tuple[Session, ...]:
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return read_sessions(data, "chats.json", NOW, lift)


def said(session: Session, leaf: str | None = None) -> list[tuple[str, str]]:
    return [(message.role.value, message.text) for message in ChatTree(session).path(leaf)]


def refused(raw: Any) -> str:
    with pytest.raises(ImportFailedError) as caught:
        read(raw)
    problem = caught.value.problem
    assert problem.what.startswith("chats.json cannot be imported: ")
    assert problem.kept == "Nothing was imported."
    assert problem.remedy
    return problem.what.removeprefix("chats.json cannot be imported: ")


def shape(session: Session) -> list[Any]:
    """Everything of the messages but their names."""
    place = {message.id: index for index, message in enumerate(session.messages)} | {None: None}
    return [
        msgspec.structs.replace(
            message,
            id="",
            parent=str(place[message.parent]),
            answer=message.answer and msgspec.structs.replace(message.answer, continues=None),
            cut=message.cut and msgspec.structs.replace(message.cut, first=None),
        )
        for message in session.messages
    ]


@given(sessions())
def test_our_own_export_comes_back_under_fresh_names(talk: Session) -> None:
    exported = msgspec.json.decode(to_json(talk, whole=True), type=Session)
    (again,) = read(to_json(talk, whole=True).encode())
    assert shape(again) == shape(exported)
    assert {m.id for m in again.messages} & {m.id for m in talk.messages} == set()
    assert again.id != talk.id
    assert (again.title, again.tags, again.updated) == (exported.title, exported.tags, exported.updated)
    assert said(again) == said(exported)


def test_our_own_of_the_first_release() -> None:
    data = (FIXTURES / "v1.json").read_bytes()
    (session,) = read(data)
    raw = json.loads(data)
    assert session.schema == 2
    assert [message.text for message in session.messages] == [message["text"] for message in raw["messages"]]
    several = read(b"[" + data + b"," + data + b"]")
    assert len({each.id for each in several}) == 2


def test_an_answer_that_was_being_written_is_not_waited_for() -> None:
    raw = json.loads((FIXTURES / "v1.json").read_bytes())
    raw["messages"][-1]["answer"] = {"model": "m"}
    (session,) = read(raw)
    assert session.messages[-1].answer is not None
    assert session.messages[-1].answer.finish is FinishReason.CANCELLED


def node(id: str, parent: str | None, *children: str, **message: Any) -> dict[str, Any]:
    """A node of ChatGPT's mapping."""
    if not message:
        return {"id": id, "message": None, "parent": parent, "children": list(children)}
    content = message.pop("content", None) or {"content_type": "text", "parts": [message.pop("text")]}
    role = message.pop("role", "user")
    made = {"id": id, "author": {"role": role, "name": None, "metadata": {}}, "content": content, **message}
    return {"id": id, "message": made, "parent": parent, "children": list(children)}


def chatgpt(*nodes: dict[str, Any], current: str, **fields: Any) -> dict[str, Any]:
    mapping = {each["id"]: each for each in nodes}
    return {
        "title": "Tea",
        "create_time": 1700000000.5,
        "mapping": mapping,
        "current_node": current,
        **fields,
    }


def conversation() -> dict[str, Any]:
    """A question, edited once; thoughts, a tool, an image, and hidden nodes in between."""
    slug = {"model_slug": "gpt-5"}
    hidden = {"is_visually_hidden_from_conversation": True}
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    return chatgpt(
        node("root", None, "sys"),
        node("sys", "root", "ctx", role="system", text=""),
        node("ctx", "sys", "q1", "q2", content={"content_type": "user_editable_context"}, metadata=hidden),
        node("q2", "ctx", "think", text="How long, exactly?", create_time=1700000100),
        node("q1", "ctx", "a1", text="How long?", create_time=1700000010),
        node("a1", "q1", role="assistant", text="Two minutes.", create_time=1700000020, metadata=slug),
        node(
            "think", "q2", "call", role="assistant",
            content={"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "Hm."}]},
        ),
        node("call", "think", "tool", role="assistant", recipient="python",
             content={"content_type": "code", "text": "print(1)"}),
        node("tool", "call", "a2", role="tool", content={"content_type": "execution_output", "text": "1"}),
        node("a2", "tool", "q3", role="assistant", text="120 s.", metadata=slug, create_time=1700000110),
        node("q3", "a2", "a3", create_time=None,
             content={"content_type": "multimodal_text", "parts": [picture, "What is this?"]}),
        node("a3", "q3", role="assistant", text="A kettle."),
        current="a3",
    )  # fmt: skip


def test_chatgpts_tree_keeps_its_branches() -> None:
    (session,) = read([conversation()])
    assert session.title == "Tea"
    assert session.created == datetime.fromtimestamp(1700000000.5, UTC)
    assert said(session) == [
        ("user", "How long, exactly?"),
        ("assistant", "[used a tool: python]"),
        ("assistant", "120 s."),
        ("user", "[image]\n\nWhat is this?"),
        ("assistant", "A kettle."),
    ]
    tree = ChatTree(session)
    first, second = tree.children(None)
    assert first.text == "How long?", "siblings are in the order they were made in"
    assert said(session, tree.deepest(first.id))[-1] == ("assistant", "Two minutes.")
    call, answer = tree.path()[1:3]
    assert call.thinking == "Hm."
    assert answer.answer is not None
    assert answer.answer.model == "gpt-5"
    assert [m.created for m in session.messages] == sorted(m.created for m in session.messages)
    assert second.created == datetime.fromtimestamp(1700000100, UTC)


def test_all_conversations_of_an_export_are_read() -> None:
    several = read([conversation(), chatgpt(node("a", None, text="Hi"), current="gone"), conversation()])
    assert [len(session.messages) for session in several] == [7, 1, 7]
    assert several[1].leaf == several[1].messages[0].id
    assert len({session.id for session in several}) == 3


@pytest.mark.parametrize("around", [lambda m: m, lambda m: {"messages": m}, lambda m: [m]])
def test_plain_lists(around) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look"}}]},
        {"role": "tool", "content": "x" * 1500},
        {"role": "assistant", "content": "A kettle.", "reasoning_content": "Steam."},
        {"role": "developer", "content": "Now rhyme."},
        {"role": "user", "content": [{"type": "file", "filename": "notes.pdf"}]},
    ]
    (session,) = read(around(messages))
    assert session.system == "Be brief."
    assert session.title == "What is it?"
    assert said(session) == [
        ("user", "What is it?\n\n[image]"),
        ("assistant", "[called a tool: look]"),
        ("assistant", "[result of a tool, 1,500 characters]"),
        ("assistant", "A kettle."),
        ("system", ""),
        ("user", "[file: notes.pdf]"),
    ]
    assert session.messages[3].thinking == "Steam."
    assert session.messages[4].setup == Setup("Now rhyme.")


def test_ollamas() -> None:
    raw = {
        "model": "llama3.2:3b",
        "messages": [
            {"role": "user", "content": "Hi", "images": ["iVBORw0KGgo="]},
            {"role": "assistant", "content": "Hello", "thinking": "A greeting."},
        ],
        "stream": False,
        "options": {"temperature": 0},
    }
    (session,) = read(raw)
    assert said(session) == [("user", "Hi\n\n[image]"), ("assistant", "Hello")]
    answer = session.messages[1]
    assert answer.thinking == "A greeting."
    assert answer.answer is not None
    assert (answer.answer.model, answer.answer.finish) == ("llama3.2:3b", FinishReason.STOP)
    assert session.model == "llama3.2:3b"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "it is no JSON"),
        (b"PK\x03\x04", "it is no JSON"),
        (b'{"messages": [', "it is no JSON"),
        (b'["\xff"]', "it is no JSON"),
        (b"[" * 100_000, "it is "),
        (b"[" * 700 + b"]" * 700, "at "),
        (7, "at the top: expected an object or a list, found a number"),
        ([], "at the top: expected conversations or messages, found an empty list"),
        (
            {"a": 1},
            "at the top: expected a conversation (an object with schema, mapping or messages, or a list",
        ),
        ([7], "at [0]: expected a conversation"),
        ({"messages": []}, "at messages: expected at least one message"),
        ({"messages": {}}, "at messages: expected array, got object"),
        (
            {"messages": [{"role": "user"}, 7]},
            "at messages[1]: expected a message with role and content, found a n",
        ),
        (
            [{"role": "user", "content": "x"}, {"role": "king", "content": "y"}],
            "at [1].role: expected user, assis",
        ),
        ([{"role": 7}], "at [0].role: expected str, got int"),
        (
            [{"role": "user", "content": [["x", 7]]}],
            "at [0].content[0][1]: expected a text or a list of parts, fo",
        ),
        ({"schema": 99}, "at schema: expected a session of schema 2 at most, found 99"),
        ({"schema": 0}, "at schema: a session of schema 0 cannot be read"),
        ({"schema": 2, "id": "x"}, "at the top: object missing required field created"),
        ([{"mapping": 7}], "at [0].mapping: expected object, got int"),
        (
            [conversation(), {"mapping": {"a": {"message": {"author": "me"}}}}],
            "at [1].mapping.a.message.author: exp",
        ),
        (
            chatgpt(node("a", "b", "b", text="x"), node("b", "a", "a", text="y"), current="a"),
            "at mapping.a.parent: expected a tree, found a circle",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(raw: Any, what: str) -> None:
    assert refused(raw).startswith(what)


def test_a_session_whose_messages_are_no_tree_is_refused() -> None:
    raw = json.loads((FIXTURES / "v1.json").read_bytes())
    raw["messages"].append(raw["messages"][0])
    assert "at messages: message id" in refused(raw)
    raw["messages"][-1] = {**raw["messages"][0], "id": "other", "parent": "nowhere"}
    assert "unknown parent" in refused(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["role", "content", "messages", "mapping", "schema", "parts", "message", "author"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_any_json_is_read_or_refused_in_words(raw: Any) -> None:
    with contextlib.suppress(ImportFailedError):
        for session in read(raw):
            ChatTree(session)


def test_nothing_is_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read")
    part = {"type": "image_url", "image_url": {"url": secret.as_uri()}, "name": "../../x"}
    (session,) = read([{"role": "user", "content": [part]}])
    assert said(session) == [("user", "[image: ../../x]")]
    assert isinstance(session.messages[0], Message)
    assert session.messages[0].role is Role.USER
