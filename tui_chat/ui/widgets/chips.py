"""The line above the input that tells what goes with the message."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui_chat.ui.widgets.lines import Line


class ChipLine(Line):
    """One row: each attachment after the other, and the key that shows them."""

    DEFAULT_CSS = """
    ChipLine { display: none; }
    ChipLine.-on { display: block; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chips: Sequence[str] = ()
        self._hint = Content("")

    def show(self, chips: Sequence[str], hint: Content) -> None:
        """Show these, and how to see more of them."""
        self._chips, self._hint = chips, hint
        self.set_class(bool(chips), "-on")
        self.refresh()

    def render(self) -> Content:
        """Write as many as there is room for, and how many there are."""
        parts = [part for chip in self._chips for part in (("   + ", "$accent"), (chip, "$foreground"))]
        many = f"{len(self._chips)} attached   " if len(self._chips) > 1 else ""
        right = Content.assemble(f"  {many}", self._hint, " ").stylize_before("$muted")
        return self.joined(Content.assemble(*parts), right)
