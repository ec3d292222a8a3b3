"""What of a session is exported, in the order in which it is read: one branch, or all of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from tui_chat.chat.attachments import Attachment, PictureRef
from tui_chat.chat.model import FinishReason, Message, Role, Session
from tui_chat.chat.policy import CutReason
from tui_chat.chat.tree import ChatTree


class Branch(NamedTuple):
    """Which of `of` ways on begins here, and after which entry; None: with it the conversation begins."""

    number: int
    of: int
    after: int | None
    name: str


class Entry(NamedTuple):
    """One message. Entries are numbered from 1; `branch` is None where there is only one way on."""

    number: int
    message: Message
    branch: Branch | None = None


def outline(session: Session, leaf: str | None = None, *, whole: bool = False) -> tuple[Entry, ...]:
    """Return the branch that ends at `leaf` (the active one if None), or, if `whole`, every branch.

    Of the whole tree each branch is read to its end before the next one begins. What was removed is left out.

    Raises:
        KeyError: There is no message `leaf`, or it was removed.
    """
    tree = ChatTree(session)
    if whole:
        return _all(tree)
    end = leaf or tree.leaf
    if end is not None and tree.is_removed(end):
        if leaf is not None:
            raise KeyError(leaf)
        end = next((m.id for m in reversed(tree.path(end)) if not tree.is_removed(m.id)), None)
    path = tree.path(end) if end else []
    return tuple(Entry(number, message) for number, message in enumerate(path, start=1))


def _all(tree: ChatTree) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    waiting: list[tuple[Message, Branch | None]] = list(reversed(_ways(tree, None, None)))
    while waiting:
        message, branch = waiting.pop()
        entries.append(Entry(len(entries) + 1, message, branch))
        waiting += reversed(_ways(tree, message.id, len(entries)))
    return tuple(entries)


def _ways(tree: ChatTree, id: str | None, after: int | None) -> list[tuple[Message, Branch | None]]:
    children = tree.children(id)
    if len(children) == 1:
        return [(children[0], None)]
    return [
        (child, Branch(number, len(children), after, child.name))
        for number, child in enumerate(children, start=1)
    ]


def said_by(message: Message) -> str:
    """Name who speaks: “You”, or a model."""
    if message.role is Role.USER:
        return "You"
    return message.answer.model if message.answer else "Assistant"


def branch_line(branch: Branch) -> str:
    """Say which branch begins: ``Branch 2 of 3, after message 4: with rice``."""
    after = f", after message {branch.after}" if branch.after else ""
    return f"Branch {branch.number} of {branch.of}{after}{f': {branch.name}' if branch.name else ''}"


def incomplete(message: Message) -> str:
    """Say why an answer is not complete; empty if it is, or is no answer."""
    if message.answer is None or message.answer.finish is FinishReason.STOP:
        return ""
    if message.answer.finish is None:
        return "still being written"
    return f"incomplete: {message.answer.finish.value.replace('_', ' ')}"


def note(message: Message) -> str:
    """Say in a line what a node of the system does: it is not anybody's words."""
    if message.cut is not None:
        cut = message.cut
        about = "" if cut.exact else "about "
        lost = f"{cut.messages:,} messages{f' ({about}{cut.tokens:,} tokens)' if cut.tokens else ''}"
        said = f"From here on {lost} above are no longer sent: {_WHY[cut.why]} ({cut.kind.value})"
        summary = f". Summary: {message.text}" if message.text.strip() else ""
        return f"{said}{', since taken back' if cut.restored else ''}{summary}"
    if message.setup is not None:
        preset = f"preset {message.setup.preset}" if message.setup.preset else "another setup"
        told = message.setup.system or message.text
        return f"From here on: {preset}{f'. System prompt: {told}' if told else ', no system prompt'}"
    return f"System prompt: {message.text}"


def about_picture(attachment: Attachment, picture: PictureRef) -> str:
    """Name a picture in a line: ``Picture photo.png, 800 x 600 pixels, 1,204,113 bytes``."""
    pixels = f", {picture.width:,} x {picture.height:,} pixels" if picture.width else ""
    return f"Picture {line_of(attachment.label)}{pixels}, {attachment.bytes:,} bytes"


_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WHY = {
    CutReason.FILL: "the window was full",
    CutReason.TURNS: "there were as many turns as the policy allows",
    CutReason.HAND: "cut by hand",
}


def when(moment: datetime) -> str:
    """Write a time to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def visible(text: str) -> str:
    """Take out what steers terminals, what HTML does not allow, and what UTF-8 has no bytes for."""
    return _INVISIBLE.sub("", text)


def line_of(text: str) -> str:
    """Return `text` on one line."""
    return " ".join(visible(text.replace("\r", "\n")).split())
