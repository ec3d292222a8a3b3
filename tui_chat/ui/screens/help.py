"""What the keys do, beginning with where the person is. Written from the list of commands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from tui_chat.ui.command import Command, Place
from tui_chat.ui.completing.slash import SLASH, usage
from tui_chat.ui.keynames import all_shown
from tui_chat.ui.screens.passing import PassingScreen

_PALETTE = "by its name, in the list of commands"
"""How to run what has no key."""
_KEYS = 22
"""Cells of the column of keys."""
_NARROWEST = 20
"""Cells that the column of titles has at least."""


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
                yield _Text(self._commands, classes="help-text")
            yield self.key_line("↑↓ scroll   {dialog.close:close}")


class _Text(Widget):
    """The commands, written for the width there is."""

    def __init__(self, commands: Sequence[Command], classes: str) -> None:
        super().__init__(classes=classes)
        self._commands = commands

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines that it takes."""
        return len(help_text(self._commands, width).split("\n"))

    def render(self) -> Content:
        """Write it."""
        return help_text(self._commands, self.size.width)


def help_text(commands: Sequence[Command], width: int) -> Content:
    """Write commands with their keys, each under its place's heading; long titles stay in their column."""
    words = {name: usage(word) for word, name in SLASH.items()}
    lines: list[Content] = []
    for place, there in groupby(commands, key=lambda command: command.place):
        if lines:
            lines.append(Content(""))
        lines.append(Content.styled(place.value, "bold $accent"))
        for each in there:
            word = (f"  {words[each.id]}", "$foreground") if each.id in words else ""
            title = Content.assemble((each.title, "$muted"), word)
            keys = f"  {all_shown(each.keys) or _PALETTE:<{_KEYS}} "
            first, *more = title.wrap(max(_NARROWEST, width - len(keys)))
            lines.append(Content.assemble((keys, "$foreground"), first))
            lines += [Content.assemble(" " * len(keys), line) for line in more]
    return Content("\n").join(lines)
