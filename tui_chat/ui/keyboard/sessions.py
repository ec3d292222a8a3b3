"""Keys of the list of sessions."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place

SESSIONS: tuple[Command, ...] = (
    Command("sessions.open", "enter", "screen.choose", "Open the session", Place.SESSIONS, "open"),
    Command(
        "sessions.rename",
        "ctrl+r",
        "screen.rename",
        "Rename the session",
        Place.SESSIONS,
        "rename",
        priority=True,
    ),
    Command(
        "sessions.archive",
        "ctrl+x",
        "screen.archive",
        "Archive the session",
        Place.SESSIONS,
        "archive",
        priority=True,
    ),
    Command(
        "sessions.undo",
        "ctrl+z",
        "screen.undo",
        "Bring back what was archived last",
        Place.SESSIONS,
        "undo",
        priority=True,
    ),
    Command("sessions.close", "escape", "screen.leave", "Back to the chat", Place.SESSIONS, "back"),
)
