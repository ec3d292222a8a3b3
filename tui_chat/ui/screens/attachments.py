"""What goes with a message: read it, put it into the input, take it away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from tui_chat.chat.attachments import Attachment
from tui_chat.ui.command import Place
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.transcript.text import clean, clean_line
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns, containing
from tui_chat.ui.words import about_attachment, about_picture

Take = Callable[[Attachment, bool], str]
"""Takes an attachment away, into the input if that is asked for; says what has become of it."""


class AttachmentsScreen(ListScreen[None]):
    """Shows attachments; those of a message that was sent stay as they are."""

    own_places = (Place.ATTACHMENTS,)
    heading = "attached"

    def __init__(self, attachments: Sequence[Attachment], take: Take | None) -> None:
        """Make the screen; without `take` they can only be read."""
        super().__init__()
        self._attachments = list(attachments)
        self._take = take

    def read(self) -> None:
        """Show them."""
        rows = [
            Row(str(at), each, each.label, partial(_row, each)) for at, each in enumerate(self._attachments)
        ]
        self.rows.show(rows, "Nothing is attached.")
        if self._take is None:
            self.head("to a message that was sent")

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return those whose names contain what was typed."""
        return containing(typed, rows)

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Read the one under the cursor; of a picture, what is known of it."""
        if (row := self.rows.current) is not None:
            self.app.push_screen(TextScreen(row.thing.label, readable(row.thing)))

    def action_expand(self) -> None:
        """Put the text of the one under the cursor into the input."""
        self._taken(into_input=True)

    def action_remove(self) -> None:
        """Take the one under the cursor away."""
        self._taken(into_input=False)

    def _taken(self, *, into_input: bool) -> None:
        row = self.rows.current
        if row is None:
            return
        if self._take is None:
            sent = "it was sent like that, and stays; {message.edit} on the message writes it anew"
            self.note(self.with_keys(sent))
            return
        refusal = self._take(row.thing, into_input)
        if refusal:
            self.note(refusal)
            return
        del self._attachments[int(row.id)]
        if into_input or not self._attachments:
            self.dismiss(None)
        else:
            self.read()

    def action_leave(self) -> None:
        """Back to the chat."""
        self.dismiss(None)


def _row(attachment: Attachment, width: int) -> Content:
    facts = about_attachment(attachment)
    name = Content.styled(clean_line(attachment.label), "$foreground")
    return columns(width, name, Content.styled(facts, "$muted"))


def readable(attachment: Attachment) -> str:
    """Return what there is to read in it."""
    return attachment.text if attachment.picture is None else about_picture(attachment, attachment.picture)


class TextScreen(PassingScreen[None]):
    """A text to be read, moved through as in an editor."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._heading = clean_line(title)
        self._text = clean(text)

    def compose(self) -> ComposeResult:
        """Lay out title, text and keys."""
        with Vertical(classes="dialog -wide"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield TextArea(self._text, compact=True, soft_wrap=True, read_only=True)
            yield self.key_line("↑↓ move   {dialog.close:close}")

    def on_mount(self) -> None:
        """Have the keys move through the text."""
        self.query_one(TextArea).focus()
