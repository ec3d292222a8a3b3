"""Keys of the settings."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str) -> Command:
    return Command(f"settings.{id}", keys, f"screen.{action}", title, Place.SETTINGS, hint, priority=True)


SETTINGS: tuple[Command, ...] = (
    Command("settings.change", "enter", "screen.choose", "Change it", Place.SETTINGS, "change"),
    _on("reset", "ctrl+d", "reset", "Leave it to its default", "default"),
    _on("undo", "ctrl+z", "undo", "Take the last change back", "undo"),
    Command("settings.close", "escape", "screen.leave", "Back to the chat", Place.SETTINGS, "back"),
)
