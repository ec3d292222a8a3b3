"""The list above the input of what may be meant; the keys stay in the input."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Suggestions(OptionList):
    """A few rows, of which one is highlighted."""

    can_focus = False
    DEFAULT_CSS = """
    Suggestions {
        display: none; height: auto; max-height: 8; border: none; padding: 0; background: $panel;
        scrollbar-size-vertical: 1;
        &.-on { display: block; }
        & > .option-list--option { padding: 0; }
        & > .option-list--option-highlighted { background: $chosen; text-style: $chosen-style; }
    }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False, compact=True)

    def show(self, rows: Sequence[Content]) -> None:
        """Show these, the first highlighted; none hides the list."""
        self.clear_options()
        self.add_options([Option(row) for row in rows])
        self.set_class(bool(rows), "-on")
        self.highlighted = 0 if rows else None

    def move(self, step: int) -> None:
        """Highlight another row; after the last comes the first."""
        if self.option_count:
            self.highlighted = ((self.highlighted or 0) + step) % self.option_count
