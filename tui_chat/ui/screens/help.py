"""What the keys do, beginning with where the person is. Written from the list of commands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.command import Command, Place
from tui_chat.ui.keynames import all_shown
from tui_chat.ui.screens.passing import PassingScreen

_PALETTE = "by its name, in the list of commands"
"""How to run what has no key."""
_KEYS = 22
"""Cells of the column of keys."""


class HelpScreen(PassingScreen[None]):
    """A list of commands; any of esc, F1, ? and q closes it."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)
    BINDINGS: ClassVar = [Binding("f1,question_mark,q", "dismiss(None)", "Close", show=False)]

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._commands = commands

    def compose(self) -> ComposeResult:
        """Lay out one section for each place."""
        with Vertical(classes="dialog -wide"):
            with VerticalScroll(classes="help-scroll"):
                yield Static(help_text(self._commands), classes="help-text")
            yield Static("↑↓ scroll   esc close", classes="dialog-keys")


def help_text(commands: Sequence[Command]) -> Content:
    """Write commands with their keys, each under its place's heading."""
    lines: list[Content] = []
    for place, there in groupby(commands, key=lambda command: command.place):
        if lines:
            lines.append(Content(""))
        lines.append(Content.styled(place.value, "bold $accent"))
        lines += [
            Content.assemble(
                (f"  {all_shown(each.keys) or _PALETTE:<{_KEYS}} ", "$foreground"), (each.title, "$muted")
            )
            for each in there
        ]
    return Content("\n").join(lines)
