"""An editor over the chat, for texts that are not one's own next message."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea


class EditorScreen(ModalScreen[str | None]):
    """Change a text. ctrl+s gives it, escape gives None."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [
        Binding("ctrl+s", "save", "Save", show=False, priority=True),
        Binding("escape", "dismiss(None)", "Leave it as it was", show=False, priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._heading = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out title, editor and keys."""
        with Vertical(classes="dialog -wide"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield TextArea(self._text, compact=True, soft_wrap=True, show_line_numbers=False)
            yield Static("ctrl+s save   esc leave it as it was", classes="dialog-keys")

    def on_mount(self) -> None:
        """Begin at the end, where one goes on."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        area.focus()

    def action_save(self) -> None:
        """Give the text."""
        self.dismiss(self.query_one(TextArea).text)
