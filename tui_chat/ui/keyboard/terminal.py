"""Commands about the terminal itself."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, title: str, *, yields: bool = False) -> Command:
    return Command(id, keys, f"app.{id}", title, Place.EVERYWHERE, yields=yields)


TERMINAL: tuple[Command, ...] = (
    # ctrl+z is undo as long as there is something to undo, and what it is in other programs then.
    _on("suspend", "ctrl+o z,ctrl+z", "Go to the shell; fg comes back", yields=True),
    _on("redraw", "ctrl+o l", "Paint the whole screen anew"),
    _on("bandwidth", "ctrl+o b", "Paint seldom, as for a slow line: on, off, or as the line is measured"),
)
