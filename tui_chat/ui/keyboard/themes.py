"""Keys of the list of themes."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place

THEMES: tuple[Command, ...] = (
    Command("themes", "ctrl+o t", "app.themes", "Change the theme", Place.EVERYWHERE),
    Command("themes.choose", "enter", "screen.choose", "Keep the theme", Place.THEMES, "keep"),
    Command(
        "themes.read",
        "ctrl+r",
        "screen.read",
        "Read the files anew",
        Place.THEMES,
        "read anew",
        priority=True,
    ),
    Command("themes.close", "escape", "screen.leave", "Back, in the theme there was", Place.THEMES, "back"),
)
