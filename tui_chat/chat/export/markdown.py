"""A conversation as Markdown: a heading for each message, its text as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tui_chat.chat.attachments import fenced
from tui_chat.chat.export import outline
from tui_chat.chat.export.outline import Entry, line_of, visible, when
from tui_chat.chat.model import Message, Session

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)


def to_markdown(
    session: Session, leaf: str | None = None, *, whole: bool = False, thinking: bool = False
) -> str:
    """Return the branch that ends at `leaf` (the active one if None), or every branch, as Markdown.

    Args:
        session: What is exported.
        leaf: Where the branch ends.
        whole: Whether all branches are wanted.
        thinking: Whether what models thought is wanted too.

    Raises:
        KeyError: There is no message `leaf`.
    """
    blocks = [f"# {line_of(session.title) or 'Conversation'}", *_facts(session)]
    for entry in outline.outline(session, leaf, whole=whole):
        blocks += _entry(entry, thinking=thinking)
    return "\n\n".join(blocks) + "\n"


def _facts(session: Session) -> Iterator[str]:
    tags = f" · tags: {', '.join(map(line_of, session.tags))}" if session.tags else ""
    yield f"*{when(session.created)} to {when(session.updated)}{tags}*"
    if session.system.strip():
        yield quoted(f"System prompt: {session.system}")


def _entry(entry: Entry, *, thinking: bool) -> Iterator[str]:
    message = entry.message
    if entry.branch is not None:
        yield f"---\n\n**{line_of(outline.branch_line(entry.branch))}**"
    if not message.said:
        yield quoted(outline.note(message))
        return
    why = outline.incomplete(message)
    yield f"## {entry.number}. {line_of(outline.said_by(message))}{f' ({why})' if why else ''}"
    if thinking and message.thinking.strip():
        yield quoted(f"Thinking: {message.thinking}")
    for attachment in message.attachments:
        picture = attachment.picture
        yield (f"*{outline.about_picture(attachment, picture)}*" if picture else visible(fenced(attachment)))
    yield _text(message)


def _text(message: Message) -> str:
    """Return the text, with an open code block closed: it would take in all that follows."""
    text = visible(message.text).strip("\n")
    opened = ""
    for fence, rest in _FENCE.findall(text):
        if not opened:
            opened = fence
        elif fence.startswith(opened) and not rest.strip():
            opened = ""
    return f"{text}\n{opened}" if opened else text


def quoted(text: str) -> str:
    """Return `text` as a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in visible(text).strip().split("\n"))
