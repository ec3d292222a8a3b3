"""Keys of the branch map."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(f"branches.{id}", keys, f"screen.{action}", title, Place.BRANCHES, hint)


BRANCHES: tuple[Command, ...] = (
    _on("show", "enter", "choose", "Show the branch of the message, or unfold the stretch", "go there"),
    _on("next", "right,l", "sibling(1)", "To the next branch beside it", "next"),
    _on("before", "left,h", "sibling(-1)", "To the branch beside it, before"),
    _on("name", "n", "name", "Name the branch", "name"),
    _on("fork", "f", "fork", "Go on from the message in a session of its own", "fork"),
    _on("compare", "v", "compare", "See the versions of the answer side by side", "side by side"),
    _on("delete", "d,delete", "remove", "Delete the message and all below it", "delete"),
    _on("undo", "u,ctrl+z", "undo", "Undo", "undo"),
    _on("redo", "U,ctrl+y", "redo", "Do again what was undone"),
    _on("close", "escape,q", "leave", "Back to the chat", "back"),
    Command(
        "beside.earlier", "left,h", "screen.version(-1)", "The version before", Place.BESIDE, priority=True
    ),
    Command(
        "beside.later",
        "right,l",
        "screen.version(1)",
        "The version after",
        Place.BESIDE,
        "version",
        priority=True,
    ),
    Command(
        "beside.side", "tab", "screen.side", "To the other side", Place.BESIDE, "other side", priority=True
    ),
    Command(
        "beside.choose",
        "enter",
        "screen.choose",
        "Go on with this version",
        Place.BESIDE,
        "go on",
        priority=True,
    ),
    Command("beside.close", "escape,q", "screen.leave", "Back", Place.BESIDE, "back", priority=True),
)
