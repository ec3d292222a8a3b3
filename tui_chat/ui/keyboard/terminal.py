"""Commands about the terminal itself."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, title: str) -> Command:
    return Command(id, keys, f"app.{id}", title, Place.EVERYWHERE)


TERMINAL: tuple[Command, ...] = (
    _on("suspend", "ctrl+o z", "Go to the shell; fg comes back"),
    _on("redraw", "ctrl+o l", "Paint the whole screen anew"),
    _on("bandwidth", "ctrl+o b", "Paint seldom, as for a slow line: on, off, or as the line is measured"),
)
