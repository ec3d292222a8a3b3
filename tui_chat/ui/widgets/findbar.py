"""A row to look for words in the conversation above it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui_chat.ui.command import Place
from tui_chat.ui.keys import Keyed


class FindBar(Keyed, Horizontal):
    """What is looked for, and what came of it; the screen does the looking."""

    own_places = (Place.FINDING,)

    def compose(self) -> ComposeResult:
        """Lay out label, input and result."""
        yield Static(" find ", classes="find-label")
        yield Input(compact=True)
        yield Static("", classes="find-result", markup=False)

    @property
    def input(self) -> Input:
        """Where one types."""
        return self.query_one(Input)

    def tell(self, result: str) -> None:
        """Show what came of it."""
        self.query_one(".find-result", Static).update(result)
