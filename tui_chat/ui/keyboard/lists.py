"""Keys of every list, and of questions and editors."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str) -> Command:
    return Command(f"list.{id}", keys, f"focused.{action}", title, Place.LISTS)


def _in(id: str, keys: str, action: str, title: str, *, priority: bool = True) -> Command:
    return Command(f"dialog.{id}", keys, f"screen.{action}", title, Place.DIALOG, priority=priority)


LISTS: tuple[Command, ...] = (
    _on("up", "up", "cursor_up", "The row above"),
    _on("down", "down", "cursor_down", "The row below"),
    _on("page_up", "pageup", "page_up", "A page up"),
    _on("page_down", "pagedown", "page_down", "A page down"),
    Command("palette.run", "enter", "screen.choose", "Do it", Place.PALETTE, "do it"),
    Command("palette.close", "escape", "screen.leave", "Back to where one was", Place.PALETTE, "back"),
    _in("close", "escape", "dismiss(None)", "Leave it as it was"),
    _in("save", "ctrl+s", "save", "Keep what was written"),
    _in("usual", "ctrl+r", "usual", "Write what the settings say"),
)
