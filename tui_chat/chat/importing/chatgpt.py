"""ChatGPT's export: conversations.json, each a tree of nodes in a mapping from their ids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from tui_chat.chat.importing.contents import note, text_of
from tui_chat.chat.importing.failure import MismatchError, convert
from tui_chat.chat.importing.growing import Growing, moment
from tui_chat.chat.model import Role, Session

_SILENT = {"user_editable_context", "model_editable_context", "reasoning_recap", "system_error"}
"""Kinds of content that nobody said."""
_THOUGHTS = "thoughts"


class _Author(msgspec.Struct):
    role: str


class _Metadata(msgspec.Struct):
    model_slug: str | None = None
    is_visually_hidden_from_conversation: bool | None = None


class _Message(msgspec.Struct):
    author: _Author
    content: dict[str, Any]
    create_time: float | None = None
    recipient: str | None = None
    metadata: _Metadata | None = None


class _Node(msgspec.Struct):
    message: _Message | None = None
    parent: str | None = None
    children: list[str] = []


class _Conversation(msgspec.Struct):
    mapping: dict[str, Any]
    title: str | None = None
    create_time: float | None = None
    current_node: str | None = None


class _Way(msgspec.Struct):
    """How far one has come down the tree: the message above, and what was thought since."""

    id: str
    above: str | None
    thoughts: str


def from_conversation(raw: dict[str, Any], now: datetime, place: str = "") -> Session:
    """Read one conversation. Nodes that are hidden, or of the system or a tool, are passed through.

    Raises:
        MismatchError: It is none, or its nodes are no tree.
    """
    conversation = convert(raw, _Conversation, place)
    nodes = {
        name: convert(node, _Node, f"{place}.mapping.{name[:60]}")
        for name, node in conversation.mapping.items()
    }
    growing = Growing(now, conversation.title or "", moment(conversation.create_time))
    ends: dict[str, str | None] = {}
    waiting = [_Way(root, None, "") for root in reversed(_roots(nodes))]
    below = _children(nodes)
    while waiting:
        way = waiting.pop()
        said, thoughts = _take(growing, nodes[way.id], way, f"{place}.mapping.{way.id[:60]}")
        ends[way.id] = said
        waiting += (_Way(child, said, thoughts) for child in reversed(below[way.id]))
    if len(ends) < len(nodes):
        lost = next(name for name in nodes if name not in ends)
        raise MismatchError(f"{place}.mapping.{lost[:60]}.parent", "expected a tree, found a circle")
    return growing.session(ends.get(conversation.current_node or ""))


def _roots(nodes: dict[str, _Node]) -> list[str]:
    """Return the nodes without a parent; one whose parent is missing is the first of a branch too."""
    return [name for name, node in nodes.items() if node.parent not in nodes]


def _children(nodes: dict[str, _Node]) -> dict[str, list[str]]:
    """Return the nodes below each, in the order that their parent has them in."""
    below: dict[str, list[str]] = {name: [] for name in nodes}
    for name, node in nodes.items():
        if node.parent in nodes:
            below[node.parent].append(name)
    for name, node in nodes.items():
        place = {child: index for index, child in enumerate(node.children)}
        below[name].sort(key=lambda child, place=place: place.get(child, len(place)))  # type: ignore[misc]
    return below


def _take(growing: Growing, node: _Node, way: _Way, place: str) -> tuple[str | None, str]:
    """Add what a node says; return the message to go on below, and what was thought and not yet answered."""
    message = node.message
    if message is None or _is_silent(message):
        return way.above, way.thoughts
    content = message.content
    if content.get("content_type") == _THOUGHTS:
        return way.above, "\n\n".join(part for part in (way.thoughts, *_thoughts(content)) if part)
    text = _said(message, f"{place}.message.content")
    if not text.strip():
        return way.above, way.thoughts
    if message.author.role == "system":
        growing.tell(text)
        return way.above, way.thoughts
    answers = message.author.role == "assistant"
    model = message.metadata.model_slug if message.metadata else None
    said = growing.add(
        Role.ASSISTANT if answers else Role.USER,
        text,
        way.above,
        moment(message.create_time),
        model=model,
        thinking=way.thoughts if answers else "",
    )
    return said, "" if answers else way.thoughts


def _is_silent(message: _Message) -> bool:
    hidden = message.metadata is not None and bool(message.metadata.is_visually_hidden_from_conversation)
    role = message.author.role
    return (
        hidden
        or role not in {"user", "assistant", "system"}
        or message.content.get("content_type") in _SILENT
    )


def _said(message: _Message, place: str) -> str:
    """Return what a message says; what an assistant wrote to a tool is not for people, and becomes a note."""
    if message.recipient not in {None, "all"}:
        return note("used a tool", message.recipient)
    content = message.content
    if content.get("content_type") == "code":
        return f"```\n{text_of(content.get('text'), f'{place}.text')}\n```"
    return text_of(content["parts"], f"{place}.parts") if "parts" in content else text_of(content, place)


def _thoughts(content: dict[str, Any]) -> Iterator[str]:
    thoughts = content.get("thoughts")
    for thought in thoughts if isinstance(thoughts, list) else ():
        if isinstance(thought, dict) and isinstance(thought.get("content"), str):
            yield thought["content"]
