"""How a model is asked to condense what it will no longer read: in pieces that fit its window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui_chat.chat.compose import Line
from tui_chat.chat.measure import about_tokens
from tui_chat.chat.model import Message, Role, Sampling
from tui_chat.chat.pictures import without

_TASK = (
    "You condense conversations. Write down what matters for going on: who wants what, decisions, names,"
    " numbers, open questions. Use short plain sentences, no introduction, at most {words} words."
)
_BEFORE = "Condensed so far:\n{}\n\n"
_WHAT = "{}The conversation goes on:\n{}\n\nCondense all of it."
_NAMES = {Role.USER: "User", Role.ASSISTANT: "Assistant", Role.SYSTEM: "Note"}
_WORDS_PER_TOKEN = 0.6
_LEAST_PIECE = 64
"""Tokens; a window that leaves less for a piece is used beyond what was meant for it."""


def summary_sampling(limit: int) -> Sampling:
    """How a summary of at most `limit` tokens is drawn: soberly, and always the same."""
    return Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=limit)


def lines_for(piece: str, so_far: str, limit: int) -> tuple[Line, ...]:
    """Ask for a summary of at most `limit` tokens of `piece`, which follows what is condensed `so_far`."""
    task = _TASK.format(words=max(20, round(limit * _WORDS_PER_TOKEN)))
    before = _BEFORE.format(so_far) if so_far.strip() else ""
    return Line(Role.SYSTEM, task), Line(Role.USER, _WHAT.format(before, piece))


def pieces(messages: Sequence[Message], window: int, limit: int) -> list[str]:
    """Write `messages` down in pieces that fit, each with a summary of `limit` tokens before and after it.

    Messages are not broken up unless one alone is longer than a piece.
    """
    overhead = about_tokens(line.text for line in lines_for("", "x", limit))
    room = max(_LEAST_PIECE, window - overhead - 2 * limit)
    found: list[str] = []
    used = 0
    for text in _written(messages, room):
        size = about_tokens((text,))
        if found and used + size <= room:
            found[-1] += f"\n\n{text}"
            used += size
        else:
            found.append(text)
            used = size
    return found


def _written(messages: Sequence[Message], room: int) -> Iterator[str]:
    for message in without(messages, lambda _: True):
        said = message.sent.strip()
        text = f"{_NAMES[message.role]}: {said}"
        if said:
            yield from _broken(text, room)


def _broken(text: str, room: int) -> Iterator[str]:
    """Break `text` in halves, at a space if there is one near, until each part fits."""
    if about_tokens((text,)) <= room or len(text) < 2:
        yield text
        return
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle)
    at = space if space > 0 else middle
    yield from _broken(text[:at].rstrip() or text[:at], room)
    yield from _broken(text[at:].lstrip() or text[at:], room)
