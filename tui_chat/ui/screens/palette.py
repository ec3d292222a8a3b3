"""Every command there is where the person is, found by a few letters of what it does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from textual import on
from textual.content import Content

from tui_chat.ui.command import Command, Place
from tui_chat.ui.keynames import all_shown
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns, fuzzy


class PaletteScreen(ListScreen[Command | None]):
    """Gives the command that is chosen, or None."""

    own_places = (Place.PALETTE,)
    heading = "commands"
    placeholder = "what you want to do"

    def __init__(self, commands: Sequence[Command]) -> None:
        """Make the screen; `commands` are in the order to show them while nothing is typed."""
        super().__init__()
        self._commands = commands

    def read(self) -> None:
        """Show them."""
        rows = [Row(each.id, each, f"{each.title} {each.id}", partial(_row, each)) for each in self._commands]
        self.rows.show(rows, "Nothing is called like that.")

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return the commands whose letters were typed, the best match first."""
        return fuzzy(typed, rows)

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Give the command under the cursor."""
        if (row := self.rows.current) is not None:
            self.dismiss(row.thing)

    def action_leave(self) -> None:
        """Back to where one was."""
        self.dismiss(None)


def _row(command: Command, width: int) -> Content:
    title = Content.assemble((command.title, "$foreground"), (f"  {command.place.value.lower()}", "$muted"))
    return columns(width, title, Content.styled(all_shown(command.keys), "$accent"))
