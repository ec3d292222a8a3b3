"""What the keys do, beginning with where the person is. Written from the list of commands."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.ui.commands import Place, commands
from tui_chat.ui.keys import all_shown

_PALETTE = "ctrl+p, by its name"
"""How to run what has no key."""


class HelpScreen(ModalScreen[None]):
    """A list of keys for some places; any of esc, F1, ? and q closes it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("escape,f1,question_mark,q", "dismiss(None)", "Close", show=False)]

    def __init__(self, places: tuple[Place, ...]) -> None:
        super().__init__()
        self._places = places

    def compose(self) -> ComposeResult:
        """Lay out one section for each place."""
        with Vertical(classes="dialog"):
            with VerticalScroll(classes="help-scroll"):
                yield Static(help_text(self._places), classes="help-text")
            yield Static("↑↓ scroll   esc close", classes="dialog-keys")


def help_text(places: tuple[Place, ...]) -> Content:
    """Write the commands of `places`, each under its place's heading."""
    lines: list[Content] = []
    for place in places:
        if lines:
            lines.append(Content(""))
        lines.append(Content.styled(place.value, "bold $accent"))
        lines += [
            Content.assemble((f"  {all_shown(c.keys) or _PALETTE:<22}", "$foreground"), (c.title, "$muted"))
            for c in commands(place)
        ]
    return Content("\n").join(lines)
