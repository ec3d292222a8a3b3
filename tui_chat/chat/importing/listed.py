"""Plain lists of messages, as APIs take them and Ollama writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tui_chat.chat.importing.contents import kind, note, text_of
from tui_chat.chat.importing.failure import MismatchError, convert
from tui_chat.chat.importing.growing import Growing
from tui_chat.chat.model import Role, Session

_ROLES = {
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
_TOOLS = {"tool", "function"}


class _Spoken(msgspec.Struct):
    """One message; of Ollama's, images are beside the content."""

    role: str
    content: Any = None
    thinking: str | None = None
    reasoning_content: str | None = None
    name: str | None = None
    model: str | None = None
    images: list[Any] | None = None
    tool_calls: list[Any] | None = None


class _Around(msgspec.Struct):
    """What may stand around a list of messages."""

    messages: list[Any]
    model: str | None = None
    title: str | None = None
    system: str | None = None


def from_list(raw: list[Any], now: datetime, place: str = "") -> Session:
    """Read ``[{"role": …, "content": …}, …]``.

    Raises:
        MismatchError: It is not that.
    """
    return _read(_Around(raw), now, place)


def from_object(raw: dict[str, Any], now: datetime, place: str = "") -> Session:
    """Read ``{"messages": […]}`` with or without a model: a request to an API, or what Ollama writes.

    Raises:
        MismatchError: It is not that.
    """
    return _read(convert(raw, _Around, place), now, f"{place}.messages")


def _read(around: _Around, now: datetime, place: str) -> Session:
    if not around.messages:
        raise MismatchError(place or "the list", "expected at least one message")
    growing = Growing(now, around.title or "")
    growing.tell(around.system or "")
    for index, raw in enumerate(around.messages):
        at = f"{place}[{index}]"
        if not isinstance(raw, dict):
            raise MismatchError(at, f"expected a message with role and content, found {kind(raw)}")
        _take(growing, convert(raw, _Spoken, at), around.model, at)
    return growing.session()


def _take(growing: Growing, spoken: _Spoken, model: str | None, place: str) -> None:
    role = _ROLES.get(spoken.role)
    if role is None and spoken.role not in _TOOLS:
        raise MismatchError(
            f"{place}.role", f"expected user, assistant, system or tool, found {spoken.role[:40]!r}"
        )
    text = _said(spoken, f"{place}.content")
    if role is None:
        size = f"{len(text):,} characters"
        growing.add(Role.ASSISTANT, note(f"result of a tool, {size}", spoken.name or ""), growing.last)
    elif role is Role.SYSTEM and growing.last is None:
        growing.tell(text)
    else:
        thinking = spoken.thinking or spoken.reasoning_content or ""
        growing.add(role, text, growing.last, model=spoken.model or model, thinking=thinking)


def _said(spoken: _Spoken, place: str) -> str:
    calls = [note("called a tool", _called(call)) for call in spoken.tool_calls or ()]
    parts = [text_of(spoken.content, place), *(note("image") for _ in spoken.images or ()), *calls]
    return "\n\n".join(part for part in parts if part)


def _called(call: Any) -> object:
    function = call.get("function") if isinstance(call, dict) else None
    return function.get("name", "") if isinstance(function, dict) else ""
