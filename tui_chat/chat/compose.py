"""The first step of the generation path: which messages are sent, and what is left out and why."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tui_chat.chat.model import Message, Role
from tui_chat.chat.tree import ChatTree


class Line(NamedTuple):
    """One message as it is to be sent."""

    role: Role
    text: str


class Omission(enum.StrEnum):
    """Why a message of the branch is not sent."""

    IN_FLIGHT = "in_flight"
    EMPTY = "empty"
    REPEATED = "repeated"
    BEFORE_FIRST_QUESTION = "before_first_question"


class LeftOut(NamedTuple):
    """A message that is not sent."""

    id: str
    why: Omission


@dataclass(frozen=True, slots=True)
class Composed:
    """What is sent: system first if there is one, then user and assistant in turn, user last."""

    lines: tuple[Line, ...]
    left_out: tuple[LeftOut, ...] = ()


class NothingToAnswerError(ValueError):
    """The branch does not end in a user's message."""


def compose(tree: ChatTree, leaf: str | None = None) -> Composed:
    """Return what to send for an answer to the branch that ends at `leaf` (the active one if None).

    Thinking is never sent. A partial answer is, however it ended. Two questions in a row, because
    the answer between them failed, become one; chat templates insist on taking turns.

    Raises:
        NothingToAnswerError: No user's message is at the end, apart from an answer in flight.
        KeyError: There is no message `leaf`.
    """
    branch = tree.path(leaf)
    system = [tree.session.system, *(message.text for message in branch if message.role is Role.SYSTEM)]
    lines: list[Line] = []
    left_out: list[LeftOut] = []
    for message in branch:
        if message.role is Role.SYSTEM:
            continue
        why = _omission(message, lines)
        if why is None:
            _take(lines, message)
        else:
            left_out.append(LeftOut(message.id, why))
    if not lines or lines[-1].role is not Role.USER:
        raise NothingToAnswerError("the branch does not end in a message of the user")
    return Composed((*_system_line(system), *lines), tuple(left_out))


def _omission(message: Message, before: list[Line]) -> Omission | None:
    if message.in_flight:
        return Omission.IN_FLIGHT
    if not message.text.strip():
        return Omission.EMPTY
    if message.role is Role.ASSISTANT and not before:
        return Omission.BEFORE_FIRST_QUESTION
    if before and before[-1] == (message.role, message.text):
        return Omission.REPEATED
    return None


def _take(lines: list[Line], message: Message) -> None:
    if lines and lines[-1].role is message.role:
        lines[-1] = Line(message.role, f"{lines[-1].text}\n\n{message.text}")
    else:
        lines.append(Line(message.role, message.text))


def _system_line(texts: Iterable[str]) -> tuple[Line, ...]:
    said = [text for text in texts if text.strip()]
    return (Line(Role.SYSTEM, "\n\n".join(said)),) if said else ()
