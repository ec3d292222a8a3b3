"""Keys of the view of the context."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(f"context.{id}", keys, f"screen.{action}", title, Place.CONTEXT, hint)


CONTEXT: tuple[Command, ...] = (
    _on("choose", "enter", "choose", "Hold to this policy from now on", "choose"),
    _on("window", "w", "ask('window')", "Use no more than so many tokens", "window"),
    _on("fill", "p", "ask('fill')", "Drop something when so many percent are full", "at percent"),
    _on("reserve", "a", "ask('reserve')", "Keep so many tokens for the answer", "answer"),
    _on("keep", "k", "ask('keep')", "Have a reset keep so many messages", "keep"),
    _on("turns", "n", "ask('turns')", "Reset after so many questions", "after"),
    _on("facts", "f", "facts", "Write down what the model is always told", "facts"),
    _on("thinking", "t", "thinking", "Send earlier thinking back to the model, or no longer", "thinking"),
    Command("context.drawing", "d", "app.drawing", "Change how answers are drawn", Place.CONTEXT, "drawing"),
    _on("reset", "x", "reset", "Start the context afresh, now", "reset now"),
    _on("undo", "u,ctrl+z", "undo", "Undo", "undo"),
    _on("redo", "U,ctrl+y", "redo", "Do again what was undone"),
    _on("close", "escape,q", "leave", "Back to the chat", "back"),
)
