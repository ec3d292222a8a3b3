"""An editor over the chat, for texts that are not one's own next message."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from tui_chat.ui.command import Place
from tui_chat.ui.screens.passing import PassingScreen


class EditorScreen(PassingScreen[str | None]):
    """Change a text. Saving gives it, leaving gives None."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._heading = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out title, editor and keys."""
        with Vertical(classes="dialog -wide"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield TextArea(self._text, compact=True, soft_wrap=True, show_line_numbers=False)
            yield self.key_line("{dialog.save:save}   {dialog.close:leave it as it was}")

    def on_mount(self) -> None:
        """Begin at the end, where one goes on."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        area.focus()

    def action_save(self) -> None:
        """Give the text."""
        self.dismiss(self.query_one(TextArea).text)
