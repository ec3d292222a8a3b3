"""Keys of what goes with a message, and of what was sent before."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str) -> Command:
    return Command(f"attached.{id}", keys, f"screen.{action}", title, Place.ATTACHMENTS, hint, priority=True)


ATTACHING: tuple[Command, ...] = (
    Command(
        "attachments", "ctrl+o v", "screen.attachments", "See, expand and remove what is attached", Place.CHAT
    ),
    Command("attach", "ctrl+o a", "screen.attach", "Attach a file", Place.CHAT),
    Command("attached.view", "enter", "screen.choose", "Read it", Place.ATTACHMENTS, "read"),
    _on("expand", "ctrl+e", "expand", "Put its text into the input", "into the input"),
    _on("remove", "ctrl+d", "remove", "Take it away; undo in the input brings it back", "remove"),
    Command(
        "history", "ctrl+o h", "screen.history", "Find what you sent before, in all sessions", Place.CHAT
    ),
    Command(
        "history.choose", "enter", "screen.choose", "Put it into the input", Place.HISTORY, "into the input"
    ),
    Command("history.close", "escape", "screen.leave", "Back to the chat", Place.HISTORY, "back"),
    Command("attached.close", "escape", "screen.leave", "Back to the chat", Place.ATTACHMENTS, "back"),
)
