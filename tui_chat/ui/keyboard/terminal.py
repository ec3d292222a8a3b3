"""Commands about the terminal itself. They have no keys of their own: they are in the palette."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place

TERMINAL: tuple[Command, ...] = (
    Command("suspend", "", "app.suspend", "Go to the shell; fg comes back", Place.EVERYWHERE, palette=True),
    Command("redraw", "", "app.redraw", "Paint the whole screen anew", Place.EVERYWHERE, palette=True),
    Command(
        "bandwidth",
        "",
        "app.bandwidth",
        "Paint seldom, as for a slow line: on, off, or as the line is measured",
        Place.EVERYWHERE,
        palette=True,
    ),
)
