"""Keys of the input."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place, own

WRITING: tuple[Command, ...] = (
    own("input.send", "enter", "Send", Place.INPUT, "send"),
    own(
        "input.newline",
        "ctrl+j,shift+enter",
        "New line",
        Place.INPUT,
        "newline",
    ),
    own("input.earlier", "up", "Earlier message, from the first line", Place.INPUT),
    own("input.later", "down", "Later message, from the last line", Place.INPUT),
    own("input.undo", "ctrl+z", "Undo", Place.INPUT),
    own("input.redo", "ctrl+y", "Redo", Place.INPUT),
)
