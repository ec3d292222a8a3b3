"""What the transcript shows: immutable view models, one for each kind of entry."""

from __future__ import annotations

import enum

import msgspec

from tui_chat.chat.model import FinishReason, Problem, Timings, Usage

_NO_USAGE = Usage()
_NO_TIMINGS = Timings()


class Level(enum.StrEnum):
    """How loud a notice is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class UserItem(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the user. `time` stands at the right of its header, `note` below it (queued).

    `branch` is its place among its siblings, and what else is to be said of it; `attached` is what goes with
    it, each in a line.
    """

    id: str
    text: str
    attached: tuple[str, ...] = ()
    time: str = ""
    note: str = ""
    name: str = "you"
    branch: str = ""


class AnswerItem(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of a model, being generated while `finish` is None.

    Attributes:
        id: The message's id.
        model: The model's name, as people know it.
        text: Markdown.
        thinking: What the model thought before it answered.
        finish: How it ended.
        problem: What went wrong, if anything did.
        usage: Token counts.
        timings: Where the time went.
        phase: What is being waited for while it is generated (`reading 5,930 tokens 41 %, 2 s left`).
        branch: Its place among its siblings (as `2 of 3`).
        hint: What to press after it was cancelled or went wrong (`r retry · e edit`).
        note: A quiet addition to its metadata line.
    """

    id: str
    model: str
    text: str = ""
    thinking: str = ""
    finish: FinishReason | None = None
    problem: Problem | None = None
    usage: Usage = _NO_USAGE
    timings: Timings = _NO_TIMINGS
    phase: str = ""
    branch: str = ""
    hint: str = ""
    note: str = ""


class DividerItem(msgspec.Struct, frozen=True, kw_only=True):
    """A rule across the transcript that says why it is there, and what to press.

    `body` stands below it, such as a summary of what is above. One that can be acted on is a `stop` on
    the way through the messages.
    """

    id: str
    text: str = ""
    hint: str = ""
    body: str = ""
    stop: bool = False


class NoticeItem(msgspec.Struct, frozen=True, kw_only=True):
    """Two lines between messages: what happened and what was kept, and what to press."""

    id: str
    text: str
    hint: str = ""
    level: Level = Level.INFO


Item = UserItem | AnswerItem | DividerItem | NoticeItem


def text_of(item: Item) -> str:
    """Return the text a user would copy of an item."""
    return item.body if isinstance(item, DividerItem) and item.body else item.text


def height_of(item: Item, width: int) -> int:
    """Estimate how many lines an item takes at `width` cells, without rendering it."""
    text = item.text
    lines = text.count("\n") + len(text) // max(1, width) + 2
    if isinstance(item, UserItem):
        return lines + 1 + bool(item.note) + len(item.attached)
    if isinstance(item, AnswerItem):
        return lines + 2 + bool(item.thinking)
    if isinstance(item, DividerItem) and item.body:
        return item.body.count("\n") + len(item.body) // max(1, width) + 3
    return 2
