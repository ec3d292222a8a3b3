"""Keys pressed one after the other, such as ``ctrl+o e``; what may come next stands at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widgets import Static

from tui_chat.ui.command import Command
from tui_chat.ui.keynames import shown
from tui_chat.ui.offering import here, is_possible

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui_chat.ui.keymap import Keymap

_COLUMN = 38
"""Cells a key and what it does get, if there is room for two of them."""


class ChordPanel(Static, can_focus=False):
    """What the keys do that may come next."""

    DEFAULT_CSS = """
    ChordPanel { dock: bottom; height: auto; width: 1fr; padding: 0 1; background: $panel; }
    """

    def __init__(self, begun: str, following: Sequence[Command]) -> None:
        super().__init__()
        self._begun = begun
        self._following = following

    def on_resize(self) -> None:
        """Columns are laid out for a width."""
        self.update(_laid_out(self._begun, self._following, self.content_region.width))


def _laid_out(begun: str, following: Sequence[Command], width: int) -> Content:
    columns = max(1, width // _COLUMN)
    cells = width // columns
    hints = [_hint(rest_of(each, begun), each, cells - 2) for each in following]
    rows = -(-len(hints) // columns)
    lines = [Content.assemble((shown(begun), "bold $accent"), ("  and then …   esc for nothing", "$muted"))]
    for row in range(rows):
        line = [hints[at].pad_right(cells - hints[at].cell_length) for at in range(row, len(hints), rows)]
        lines.append(Content("").join(line))
    return Content("\n").join(lines)


def _hint(rest: str, command: Command, cells: int) -> Content:
    hint = Content.assemble((f"{shown(rest):>4}", "$accent"), (f"  {command.title}", "$foreground"))
    return hint.truncate(cells, ellipsis=True)


def rest_of(command: Command, begun: str) -> str:
    """The keys that are still to come when `begun` was pressed; "" if the command does not begin so."""
    beginning = f"{begun} "
    return next((k.removeprefix(beginning) for k in command.keys.split(",") if k.startswith(beginning)), "")


class Chords:
    """Takes keys that begin something, until it is whole or something else is pressed."""

    def __init__(self) -> None:
        self._begun = ""
        self._panel: ChordPanel | None = None

    def take(self, key: str, screen: Screen[Any], keymap: Keymap) -> tuple[bool, Command | None]:
        """Take a key, or leave it to others.

        Returns:
            Whether it was taken, and the command that is whole with it.
        """
        whole = f"{self._begun} {key}".strip()
        offered = list(here(screen, keymap))
        following = [each for each in offered if rest_of(each, whole) and is_possible(screen, each)]
        begun, self._begun = self._begun, whole if following else ""
        alone = any(key in each.keys.split(",") and is_possible(screen, each) for each in offered)
        if following and (begun or not alone):
            self._show(screen, whole, following)
            return True, None
        self._begun = ""
        self._hide()
        if not begun:
            return False, None
        return True, next((each for each in offered if whole in each.keys.split(",")), None)

    def _show(self, screen: Screen[Any], begun: str, following: Sequence[Command]) -> None:
        self._hide()
        self._panel = ChordPanel(begun, following)
        screen.mount(self._panel)

    def _hide(self) -> None:
        if self._panel is not None:
            self._panel.remove()
            self._panel = None
