"""Keys of what goes with a message."""

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
    Command("attached.close", "escape", "screen.leave", "Back to the chat", Place.ATTACHMENTS, "back"),
)
