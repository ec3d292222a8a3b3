"""Keys of the list of presets."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str) -> Command:
    return Command(f"presets.{id}", keys, f"screen.{action}", title, Place.PRESETS, hint, priority=True)


PRESETS: tuple[Command, ...] = (
    Command("presets.choose", "enter", "screen.choose", "Use it from here on", Place.PRESETS, "use"),
    _on("edit", "ctrl+e", "edit", "Edit its prompt, and keep that among your own", "edit"),
    _on("copy", "ctrl+d", "copy", "Copy it to your own presets", "copy"),
    Command("presets.close", "escape", "screen.leave", "Back to the chat", Place.PRESETS, "back"),
)
