"""What a question looks like in OpenAI's words."""

from __future__ import annotations

import base64
from typing import Any

from tui_chat.backends.openai.refusals import Body
from tui_chat.chat.model import Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.pictures import Picture


def messages(turns: tuple[Turn, ...], thinking_field: str | None) -> list[Body]:
    """The turns; `thinking_field` is what the server calls earlier thoughts, None if it takes none."""
    written = []
    for turn in turns:
        message: Body = {"role": turn.role.value, "content": _content(turn)}
        if turn.thinking and turn.role is Role.ASSISTANT and thinking_field:
            message[thinking_field] = turn.thinking
        written.append(message)
    return written


def _content(turn: Turn) -> str | list[Body]:
    if not turn.pictures:
        return turn.text
    parts: list[Body] = [{"type": "image_url", "image_url": {"url": _uri(each)}} for each in turn.pictures]
    return [*parts, {"type": "text", "text": turn.text}] if turn.text else parts


def _uri(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"


def drawn(sampling: Sampling, names: dict[str, str]) -> Body:
    """How tokens are drawn: what all servers know, and by `names` what this one calls the rest."""
    body: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
    }
    body |= {theirs: getattr(sampling, ours) for ours, theirs in names.items()}
    if sampling.max_tokens is not None:
        body["max_tokens"] = sampling.max_tokens
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    return body
