"""Keys of what is offered while one types."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(f"offered.{id}", keys, f"focused.{action}", title, Place.OFFERED, hint, yields=True)


COMPLETING: tuple[Command, ...] = (
    _on("take", "enter", "take_offered(True)", "Attach the file, or run the command", "take it"),
    _on("complete", "tab", "take_offered(False)", "Write it out; a file is attached", "complete"),
    _on("up", "up", "move_offered(-1)", "The one above"),
    _on("down", "down", "move_offered(1)", "The one below"),
    _on("close", "escape", "close_offered", "Offer nothing; the text stays", "close"),
)
