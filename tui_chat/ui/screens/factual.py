"""A dialog of facts, each with its name beside it, that scrolls where there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.command import Place
from tui_chat.ui.screens.passing import PassingScreen

_NAMES = 16
"""Cells of the column of names."""
_AROUND = 8
"""Rows of the dialog around what scrolls: border, padding, title and keys."""


class FactsScreen(PassingScreen[None]):
    """Shows what `draw` makes of a width in cells; any of esc, ctrl+o, q and enter closes it."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)
    BINDINGS: ClassVar = [Binding("ctrl+o,q,enter", "dismiss(None)", "Close", show=False)]

    def __init__(self, title: str, draw: Callable[[int], Content]) -> None:
        super().__init__()
        self._title = title
        self._draw = draw

    def compose(self) -> ComposeResult:
        """Lay out title, facts and keys."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            with VerticalScroll(classes="details-scroll"):
                yield Static(classes="help-text", markup=False)
            yield self.key_line("↑↓ scroll   {dialog.close:close}")

    def on_mount(self) -> None:
        """Write when it is known how wide this is."""
        self.call_after_refresh(self._write)

    def show(self, draw: Callable[[int], Content]) -> None:
        """Write what is known now."""
        self._draw = draw
        self._write()

    def on_resize(self) -> None:
        """Lines are broken for a width."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        if not self.is_mounted:
            return
        scroll = self.query_one(".details-scroll")
        scroll.styles.max_height = max(3, self.size.height - _AROUND)
        width = scroll.scrollable_content_region.width
        self.query_one(".help-text", Static).update(self._draw(width))


def pair(name: str, *values: str) -> Iterator[tuple[str, str]]:
    """Yield a fact and its name, or nothing if none of its parts says anything."""
    said = ", ".join(value for value in values if value)
    if said:
        yield name, said


def lines_of(name: str, said: str, width: int) -> list[Content]:
    """Write `said` beside its name, in as many lines as it takes."""
    broken = wrap(said, max(20, width - _NAMES), break_on_hyphens=False)
    names = [name, *("" for _ in broken[1:])]
    return [
        Content.assemble((f"{name:<{_NAMES}}", "$muted"), (line, "$foreground"))
        for name, line in zip(names, broken, strict=True)
    ]
