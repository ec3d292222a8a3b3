"""The input: grows with its text, sends on enter, and remembers what was sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui_chat.ui.command import Place
from tui_chat.ui.completing.asked import Asked, asked_by
from tui_chat.ui.held import Attachments, Held, is_large, pasted
from tui_chat.ui.keys import Keyed
from tui_chat.ui.transcript.text import clean

if TYPE_CHECKING:
    from textual.widgets.text_area import Edit, EditResult

    from tui_chat.ui.keymap import Keymap

_LINE_ENDS = re.compile(r"\r\n?")
_UNDOING_S = 1.0
"""Within this of the last undo its key means nothing else: somebody holds it down."""


class Past:
    """What was sent, walked backwards from a draft that is given back at the end."""

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._at: int | None = None
        self._draft = ""

    def fill(self, entries: list[str]) -> None:
        """Replace everything remembered; `entries` are oldest first."""
        self._entries = entries
        self._at = None

    def add(self, text: str) -> None:
        """Remember one more message; walking starts again from the newest."""
        if not self._entries or self._entries[-1] != text:
            self._entries.append(text)
        self._at = None

    def earlier(self, current: str) -> str | None:
        """Return the entry before `current`, or None at the oldest."""
        at = len(self._entries) if self._at is None else self._at
        if at == 0:
            return None
        if self._at is None:
            self._draft = current
        self._at = at - 1
        return self._entries[self._at]

    def later(self) -> str | None:
        """Return the entry after the one shown, the draft after the newest, or None while on the draft."""
        if self._at is None:
            return None
        self._at += 1
        if self._at < len(self._entries):
            return self._entries[self._at]
        self._at = None
        return self._draft


class Completion(Protocol):
    """Offers what may be meant by what stands before the cursor."""

    @property
    def offering(self) -> bool:
        """Whether it does now."""
        ...

    def move(self, step: int) -> None:
        """Highlight another one."""

    def close(self) -> None:
        """Offer nothing more for this."""

    async def take(self, *, run: bool) -> bool:
        """Do what is highlighted, or write it out; False where there is nothing."""
        ...


class Prompt(Keyed, TextArea):
    """A text area of one to ten lines that sends instead of breaking the line on enter."""

    DEFAULT_CSS = """
    Prompt {
        height: auto; min-height: 1; max-height: 10; width: 1fr; padding: 0; border: none;
        background: transparent; scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-area--cursor-line { background: transparent; }
        & .text-area--placeholder { color: $text-muted; }
    }
    """

    own_places = (Place.OFFERED, Place.INPUT, Place.EDITING)

    @dataclass
    class Submitted(Message):
        """The person wants `text` sent, with what is attached to it."""

        text: str
        attachments: Attachments = ()

    class Attached(Message):
        """Something else is attached now."""

    def __init__(self, invitation: str = "", id: str | None = None) -> None:
        """Make it empty; `invitation` stands there then, a sentence that may name commands."""
        self._invitation = invitation
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )
        self.past = Past()
        self._cut = ""
        self._held = Held()
        self._undoing = 0.0
        self.completion: Completion | None = None

    def use_keys(self, keymap: Keymap) -> None:
        """React to other keys from now on, and name them."""
        super().use_keys(keymap)
        self.placeholder = self.with_keys(self._invitation)

    @property
    def attachments(self) -> Attachments:
        """What goes with the text."""
        return self._held.now

    def attach(self, attachments: Attachments) -> None:
        """Have these go with the text, and nothing else; undo takes that back."""
        self._change_attached(attachments, self.text)

    def _change_attached(self, attachments: Attachments, text: str) -> None:
        if self._held.change(attachments, self.text, text):
            self.history.checkpoint()
            self.post_message(self.Attached())

    def take_in(self, text: str, attachments: Attachments) -> None:
        """Put `text` where the cursor is and have `attachments` go with all, as one step for undo."""
        self.history.checkpoint()
        before = self.text
        self.insert(text)
        if self._held.change(attachments, before, self.text):
            self.post_message(self.Attached())
        self.history.checkpoint()

    def forget(self) -> None:
        """Empty it, and have undo bring nothing back."""
        self.load_text("")
        self._held.forget()
        self.post_message(self.Attached())

    def put(self, text: str, attachments: Attachments | None = None) -> None:
        """Replace what is written by `text`, cursor at its end, as one step that undo takes back.

        What is attached stays, unless there are other `attachments` to take its place.
        """
        if attachments is not None:
            self._change_attached(attachments, clean(text))
        self.history.checkpoint()
        self.replace(text, self.document.start, self.document.end)
        self.move_cursor(self.document.end)
        self.history.checkpoint()

    def edit(self, edit: Edit) -> EditResult:
        """Take in no text that would drive the terminal, wherever it comes from; what is attached may be."""
        edit.text = clean(edit.text)
        return super().edit(edit)

    def _watch_show_vertical_scrollbar(self) -> None:
        # In the middle of an undo the cursor still stands in lines that are gone; Textual would look there.
        if self.wrap_width:
            self._rewrap_and_refresh_virtual_size()
        self.call_after_refresh(self.scroll_cursor_visible)

    @property
    def asked(self) -> Asked | None:
        """What the text before the cursor asks for."""
        row, column = self.cursor_location
        return asked_by(self.document.get_line(row)[:column], first_line=row == 0)

    def write_at(self, start: int, text: str, attachments: Attachments | None = None) -> None:
        """Put `text` in the place of what stands between a column of the line and the cursor, as one step."""
        row, column = self.cursor_location
        self.history.checkpoint()
        before = self.text
        self.replace(text, (row, start), (row, column))
        if attachments is not None and self._held.change(attachments, before, self.text):
            self.post_message(self.Attached())
        self.history.checkpoint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys of what is offered to others while nothing is, and undo's with nothing to undo."""
        if action == "undo":
            return bool(self.history.undo_stack) or self._held.undoable or monotonic() < self._undoing
        if action in ("take_offered", "move_offered", "close_offered"):
            return self.completion is not None and self.completion.offering
        return super().check_action(action, parameters)

    async def action_take_offered(self, run: bool) -> None:
        """Take what is highlighted; with nothing there after all, `run` sends the text."""
        if self.completion is not None and not await self.completion.take(run=run) and run:
            self.action_submit()

    def action_move_offered(self, step: int) -> None:
        """Highlight another one."""
        if self.completion is not None:
            self.completion.move(step)

    def action_close_offered(self) -> None:
        """Offer nothing more for this word."""
        if self.completion is not None:
            self.completion.close()

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "shift+\r":  # what shift+enter is called that tmux tells apart from enter
            event.key = "shift+enter"
        await self.ran(event)

    # Textual calls the handlers of every base class itself, after these.

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = _LINE_ENDS.sub("\n", event.text)  # terminals paste \r
        if is_large(event.text):
            event.stop()
            event.prevent_default()
            self.attach((*self.attachments, pasted(event.text)))

    def action_undo(self) -> None:
        """Undo what was done last, to the text or to what is attached."""
        self._undoing = monotonic() + _UNDOING_S
        change = self._held.undo(self.text)
        if change is not None:
            self.post_message(self.Attached())
        if change is None or change.of_text:
            super().action_undo()

    def action_redo(self) -> None:
        """Do again what was undone last."""
        change = self._held.redo(self.text)
        if change is not None:
            self.post_message(self.Attached())
        if change is None or change.of_text:
            super().action_redo()

    def action_cursor_up(self, select: bool = False) -> None:
        """Move up; from the first line, to the message sent before."""
        if not select and self._row == 0 and (entry := self.past.earlier(self.text)) is not None:
            self.put(entry)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Move down; from the last line, to the message sent after, and at last to the draft."""
        last = self.wrapped_document.height - 1
        if not select and self._row >= last and (entry := self.past.later()) is not None:
            self.put(entry)
        else:
            super().action_cursor_down(select)

    @property
    def _row(self) -> int:
        return self.wrapped_document.location_to_offset(self.cursor_location).y

    def action_submit(self) -> None:
        """Send what is written, if anything is."""
        text, attachments = self.text.strip(), self.attachments
        if not text and not attachments:
            return
        if text:
            self.past.add(text)
        self.forget()
        self.post_message(self.Submitted(text, attachments))

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")
        self.scroll_cursor_visible()

    def action_kill(self) -> None:
        """Cut the rest of the line, or the line's end if there is no rest."""
        row, column = self.cursor_location
        end = (row, len(self.document.get_line(row)))
        if column == end[1] and row + 1 < self.document.line_count:
            end = (row + 1, 0)
        self._take_out((row, column), end)

    def action_kill_back(self) -> None:
        """Cut the line up to the cursor."""
        row, column = self.cursor_location
        self._take_out((row, 0), (row, column))

    def action_yank(self) -> None:
        """Put what was cut last where the cursor is."""
        self.insert(self._cut)

    def _take_out(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        if text := self.get_text_range(start, end):
            self._cut = text
            self.delete(start, end)
