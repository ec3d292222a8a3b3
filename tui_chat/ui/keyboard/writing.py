"""Keys of the input."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(id, keys, f"focused.{action}", title, Place.INPUT, hint)


def _edit(id: str, keys: str, action: str, title: str) -> Command:
    return Command(f"edit.{id}", keys, f"focused.{action}", title, Place.EDITING)


WRITING: tuple[Command, ...] = (
    _on("input.send", "enter", "submit", "Send", "send"),
    # ctrl+j arrives from every terminal; shift+enter only where the terminal tells it from enter. Never
    # alt+enter: without the kitty protocol it arrives as a plain enter, and would send.
    _on("input.newline", "ctrl+j,shift+enter", "newline", "New line", "newline"),
    _on("input.earlier", "up", "cursor_up", "Line above; from the first, the message sent before"),
    _on("input.later", "down", "cursor_down", "Line below; from the last, the message sent after"),
    _on("input.undo", "ctrl+z", "undo", "Undo"),
    _on("input.redo", "ctrl+y", "redo", "Redo"),
    Command("input.editor", "ctrl+o e", "screen.edit_outside", "Write it in your own editor", Place.INPUT),
    _edit("left", "left", "cursor_left", "A character to the left"),
    _edit("right", "right", "cursor_right", "A character to the right"),
    _edit("word_left", "ctrl+left,alt+b", "cursor_word_left", "A word to the left"),
    _edit("word_right", "ctrl+right,alt+f", "cursor_word_right", "A word to the right"),
    _edit("line_start", "home,ctrl+a", "cursor_line_start", "To the beginning of the line"),
    _edit("line_end", "end,ctrl+e", "cursor_line_end", "To the end of the line"),
    _edit("delete_word_left", "ctrl+w", "delete_word_left", "Delete the word before"),
    _edit("delete_word_right", "alt+d,ctrl+delete", "delete_word_right", "Delete the word after"),
    _edit("delete_left", "backspace", "delete_left", "Delete the character before"),
    _edit("delete_right", "delete,ctrl+d", "delete_right", "Delete the character after"),
    _edit("kill", "ctrl+k", "kill", "Cut the rest of the line"),
    _edit("kill_back", "ctrl+u", "kill_back", "Cut the line up to here"),
    _edit("yank", "alt+y", "yank", "Put what was cut here"),
)
