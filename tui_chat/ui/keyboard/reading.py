"""Keys on the messages of a conversation, and of the bar that finds words in it."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "", *, palette: bool = False) -> Command:
    return Command(id, keys, f"screen.{action}", title, Place.TRANSCRIPT, hint, palette, priority=True)


def _finding(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(f"find.{id}", keys, f"screen.find_{action}", title, Place.FINDING, hint, priority=True)


READING: tuple[Command, ...] = (
    _on("read.previous", "k", "step(-1)", "Message before", "up"),
    _on("read.next", "j", "step(1)", "Message after", "down"),
    _on("read.leave", "tab,i", "write", "Back to the input", "write"),
    _on("message.edit", "e", "edit", "Edit the message, and send it as a branch of its own", "edit"),
    _on("message.rewind", "w", "rewind", "Back to before the message, its text in the input"),
    _on("message.regenerate", "r", "regenerate", "Have it answered once more", "again"),
    _on("message.earlier", "left,h", "sibling(-1)", "Show the version before"),
    _on("message.later", "right,l", "sibling(1)", "Show the version after", "versions"),
    _on("message.go_on", "o", "go_on", "Have the answer go on where it ended", "go on"),
    _on("message.copy", "c", "copy_message", "Copy the message", "copy"),
    _on("message.code", "b", "copy_code", "Copy a code block", "copy code"),
    _on("message.thinking", "t", "toggle_thinking", "Unfold or fold the thinking", "thinking"),
    _on("message.record", "s", "record", "Show how it was answered: speed, memory, heat, settings"),
    _on("message.delete", "d,delete", "remove", "Delete the message and all below it", "delete"),
    _on("tree.undo", "u,ctrl+z", "undo", "Undo; at a context cut, send it again", "undo", palette=True),
    _on("tree.redo", "U,ctrl+y", "redo", "Do again what was undone", palette=True),
    _on("message.fork", "f", "fork_here", "Go on from here in a session of its own", "fork"),
    _on("message.models", "m", "other_models", "Have other models answer, to compare", "other models"),
    _on("message.exactly", "x", "regenerate_exactly", "Answer again exactly: same model, settings and seed"),
    _on("message.pin", "p", "pin", "Pin the message in the context, or let it go", "pin"),
    _on("message.name", "n", "name_branch", "Name this branch", "name"),
    _on("read.find", "slash", "find_here", "Find words in this conversation", "find"),
    _on("read.tail", "end,G", "tail", "Back to the newest text", "newest"),
    Command("read.help", "question_mark", "app.help", "Show what the keys do here", Place.TRANSCRIPT),
    _finding("next", "enter,down", "step(1)", "The next match", "next"),
    _finding("before", "up,shift+enter", "step(-1)", "The match before", "before"),
    _finding("elsewhere", "ctrl+b", "elsewhere", "A message on another branch that has it", "other branches"),
    _finding("close", "escape", "close", "Close the bar, and stay where one is", "close"),
)
