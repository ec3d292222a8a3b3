"""What the transcript tells the screen around it."""

from __future__ import annotations

from textual.message import Message


class Following(Message, namespace="transcript"):
    """Whether the view follows the end, and whether there is text below that was not seen yet."""

    def __init__(self, following: bool, unseen: bool) -> None:
        self.following = following
        self.unseen = unseen
        super().__init__()


class Focused(Message, namespace="transcript"):
    """The message the user moved to with the keyboard; None when they left."""

    def __init__(self, id: str | None) -> None:
        self.id = id
        super().__init__()
