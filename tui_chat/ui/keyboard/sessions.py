"""Keys of the list of sessions, of the trash, of what is found in all sessions, and of statistics."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "", label: str = "") -> Command:
    return Command(
        f"sessions.{id}", keys, f"screen.{action}", title, Place.SESSIONS, hint, priority=True, label=label
    )


SESSIONS: tuple[Command, ...] = (
    Command("sessions.open", "enter", "screen.choose", "Open the session", Place.SESSIONS, "open"),
    _on("unfold", "right", "fold(False)", "Show what was forked from it", "forks", "→←"),
    _on("fold", "left", "fold(True)", "Fold the forks again"),
    _on("find", "ctrl+f", "search", "Find a message in all sessions", "find"),
    _on("tag", "ctrl+t", "tag", "Change the tags of the session", "tags"),
    _on("rename", "ctrl+r", "rename", "Rename the session", "rename"),
    _on("archive", "ctrl+x", "archive", "Archive the session, or bring it back", "archive"),
    _on("delete", "ctrl+d", "delete", "Move the session to the trash", "delete"),
    _on("undo", "ctrl+z", "undo", "Bring back what was archived or deleted last", "undo"),
    _on("all", "ctrl+a", "all", "List archived sessions too, or no longer", "archived"),
    _on("statistics", "ctrl+o", "statistics", "Show what the session has cost", "statistics"),
    _on("trash", "ctrl+b", "trash", "Show the trash", "trash"),
    Command("sessions.close", "escape", "screen.leave", "Back to the chat", Place.SESSIONS, "back"),
    Command(
        "trash.restore",
        "enter",
        "screen.restore",
        "Put the session back into the list",
        Place.TRASH,
        "restore",
    ),
    Command(
        "trash.purge",
        "ctrl+d",
        "screen.purge",
        "Delete the session, or all of them, for good",
        Place.TRASH,
        "delete for good",
        priority=True,
    ),
    Command("search.open", "enter", "screen.choose", "Go to the message", Place.SEARCH, "go there"),
    Command("search.close", "escape", "screen.leave", "Back to where one was", Place.SEARCH, "back"),
    Command(
        "statistics.close", "escape,q", "screen.leave", "Back to where one was", Place.STATISTICS, "back"
    ),
    Command("trash.close", "escape", "screen.leave", "Back to the list of sessions", Place.TRASH, "back"),
)
