"""Keys on the panels beside the conversation, and of the instruments alone."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "", label: str = "") -> Command:
    return Command(f"panels.{id}", keys, f"focused.{action}", title, Place.PANELS, hint, label=label)


PANELS: tuple[Command, ...] = (
    _on("before", "up,k", "choose(-1)", "The panel above"),
    _on("after", "down,j", "choose(1)", "The panel below", "choose", "↑↓"),
    _on("up", "shift+up,K", "move(-1)", "Move the panel up"),
    _on("down", "shift+down,J", "move(1)", "Move the panel down", "move", "shift+↑↓"),
    _on("fold", "enter,space", "fold", "Fold the panel into a line, or unfold it", "fold"),
    _on("wider", "left,plus", "widen(2)", "Make the panels wider"),
    _on("narrower", "right,minus", "widen(-2)", "Make the panels narrower", "width", "←→"),
    Command("panels.leave", "escape,q,tab", "app.arrange", "Leave them so", Place.PANELS, "done"),
    _on("usual", "r", "reset", "Arrange them as usual", "as usual"),
)
