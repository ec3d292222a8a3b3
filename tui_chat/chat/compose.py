"""The first step of the generation path: which messages are sent, and what is left out and why."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tui_chat.chat.attachments import PictureRef
from tui_chat.chat.model import Message, Role, Session, Setup
from tui_chat.chat.policy import PolicyKind
from tui_chat.chat.setups import setup_on
from tui_chat.chat.tree import ChatTree

SUMMARY = "Summary of the conversation so far:\n{}"
"""How a model is told what it no longer reads."""
FACTS = "Keep in mind:\n{}"


class Line(NamedTuple):
    """One message as it is to be sent; `pictures` are shown beside its text."""

    role: Role
    text: str
    thinking: str = ""
    pictures: tuple[PictureRef, ...] = ()


class Part(enum.StrEnum):
    """What the tokens of a context are spent on."""

    SYSTEM = "system"
    PINNED = "pinned"
    SUMMARY = "summary"
    HISTORY = "history"
    THINKING = "thinking"


class Omission(enum.StrEnum):
    """Why a message of the branch is not sent."""

    IN_FLIGHT = "in_flight"
    EMPTY = "empty"
    REPEATED = "repeated"
    BEFORE_FIRST_QUESTION = "before_first_question"
    CUT = "cut"


class LeftOut(NamedTuple):
    """A message that is not sent."""

    id: str
    why: Omission


@dataclass(frozen=True, slots=True)
class Composed:
    """What is sent: system first if there is one, then user and assistant in turn, user last.

    Attributes:
        lines: The messages.
        left_out: What of the branch is not among them.
        shares: Of each line, how many characters are spent on what.
    """

    lines: tuple[Line, ...]
    left_out: tuple[LeftOut, ...] = ()
    shares: tuple[dict[Part, int], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Begin:
    """Where on a branch sending begins: at `first`, or else after `after`.

    Attributes:
        summary: What the model is told of what is before.
        pins: Whether pinned messages before it are sent all the same.
    """

    first: str | None
    after: str | None
    summary: str = ""
    pins: bool = False


class NothingToAnswerError(ValueError):
    """The branch does not end in a user's message."""


def compose(tree: ChatTree, leaf: str | None = None) -> Composed:
    """Return what to send for an answer to the branch that ends at `leaf` (the active one if None).

    Thinking is sent only if the session says so. A partial answer is, however it ended. Two questions in
    a row, because the answer between them failed, become one; chat templates insist on taking turns.

    Raises:
        NothingToAnswerError: No user's message is at the end, apart from an answer in flight.
        KeyError: There is no message `leaf`.
    """
    return compose_branch(tree.session, tree.path(leaf))


def compose_branch(session: Session, branch: Sequence[Message], begin: Begin | None = None) -> Composed:
    """Return what to send for an answer to `branch`, oldest message first.

    Args:
        session: Whose branch it is.
        branch: All its messages, whether they are in the session yet or not.
        begin: Where to begin, in place of where the last cut on the branch says.

    Raises:
        NothingToAnswerError: As `compose`.
    """
    composed = write_branch(session, branch, begin)
    if not composed.lines or composed.lines[-1].role is not Role.USER:
        raise NothingToAnswerError("the branch does not end in a message of the user")
    return composed


def write_branch(session: Session, branch: Sequence[Message], begin: Begin | None = None) -> Composed:
    """Return what would be sent of `branch`, wherever it ends; else as `compose_branch`."""
    begin = begin or begin_of(branch)
    writer = _Writer(session.send_thinking)
    writer.told(setup_on(session, branch), session.facts, branch, begin)
    for message in _sent(branch, begin, writer.left_out):
        writer.take(message, pinned=message.pinned)
    return writer.composed()


def begin_of(branch: Sequence[Message]) -> Begin:
    """Return where the last cut on `branch` that is in force has sending begin."""
    there = {message.id for message in branch}
    for message in reversed(branch):
        cut = message.cut
        if cut is not None and not cut.restored and (cut.first is None or cut.first in there):
            return Begin(cut.first, message.id, message.text, cut.kind is PolicyKind.SELECTIVE)
    return Begin(None, None)


def sent_from(branch: Sequence[Message], begin: Begin) -> int:
    """Return the index on `branch` of the first message that is sent, apart from pinned ones."""
    start = begin.first or begin.after
    if start is None:
        return 0
    at = next(index for index, message in enumerate(branch) if message.id == start)
    return at if begin.first else at + 1


def _sent(branch: Sequence[Message], begin: Begin, left_out: list[LeftOut]) -> list[Message]:
    """The messages said on `branch` that are sent: from the beginning on, and before it the pinned ones.

    A pinned answer has its question with it, without which a template would not take it.
    """
    start = sent_from(branch, begin)
    kept: set[str] = set()
    for message in branch[:start] if begin.pins else ():
        if message.pinned:
            kept.add(message.id)
            if message.role is Role.ASSISTANT and message.parent is not None:
                kept.add(message.parent)
    left_out += [LeftOut(m.id, Omission.CUT) for m in branch[:start] if m.said and m.id not in kept]
    return [m for index, m in enumerate(branch) if m.said and (index >= start or m.id in kept)]


class _Writer:
    """Writes messages as lines, and keeps account of what they are spent on."""

    def __init__(self, send_thinking: bool) -> None:
        self.lines: list[Line] = []
        self.left_out: list[LeftOut] = []
        self._shares: list[dict[Part, int]] = []
        self._system: tuple[Line, dict[Part, int]] | None = None
        self._send_thinking = send_thinking

    def told(self, setup: Setup, facts: Sequence[str], branch: Sequence[Message], begin: Begin) -> None:
        """Write what the model is told before the conversation."""
        said = [m.text for m in branch if not m.said and m.cut is None and m.setup is None]
        parts = (
            (Part.SYSTEM, "\n\n".join(text for text in (setup.system, *said) if text.strip())),
            (Part.PINNED, FACTS.format("\n".join(f"- {fact}" for fact in facts)) if facts else ""),
            (Part.SUMMARY, SUMMARY.format(begin.summary) if begin.summary.strip() else ""),
        )
        told = [(part, text) for part, text in parts if text]
        if told:
            line = Line(Role.SYSTEM, "\n\n".join(text for _, text in told))
            self._system = line, {part: len(text) for part, text in told}

    def take(self, message: Message, *, pinned: bool) -> None:
        """Write one message of the branch, or note why not."""
        sent = message.sent
        why = self._omission(message, sent)
        if why is not None:
            self.left_out.append(LeftOut(message.id, why))
            return
        thinking = message.thinking if self._send_thinking else ""
        share = {Part.PINNED if pinned else Part.HISTORY: len(sent)}
        if thinking:
            share[Part.THINKING] = len(thinking)
        if self.lines and self.lines[-1].role is message.role:
            last = self.lines[-1]
            joined = (last.thinking, thinking)
            text = "\n\n".join(part for part in (last.text, sent) if part)
            thought = "\n\n".join(part for part in joined if part)
            self.lines[-1] = Line(message.role, text, thought, (*last.pictures, *message.pictures))
            for part, size in share.items():
                self._shares[-1][part] = self._shares[-1].get(part, 0) + size
        else:
            self.lines.append(Line(message.role, sent, thinking, message.pictures))
            self._shares.append(share)

    def composed(self) -> Composed:
        """Everything written, the system's line first."""
        lines, shares = tuple(self.lines), tuple(self._shares)
        if self._system is not None:
            lines, shares = (self._system[0], *lines), (self._system[1], *shares)
        return Composed(lines, tuple(self.left_out), shares)

    def _omission(self, message: Message, sent: str) -> Omission | None:
        if message.in_flight:
            return Omission.IN_FLIGHT
        if (not sent or sent.isspace()) and not message.pictures:
            return Omission.EMPTY
        if message.role is Role.ASSISTANT and not self.lines:
            return Omission.BEFORE_FIRST_QUESTION
        if self.lines and self.lines[-1]._replace(thinking="") == (message.role, sent, "", message.pictures):
            return Omission.REPEATED
        return None
