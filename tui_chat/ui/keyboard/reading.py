"""Keys on the messages of a conversation, on text selected in it, and of the bar that finds words in it."""

from __future__ import annotations

from tui_chat.ui.command import Command, Place


def _on(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(id, keys, f"screen.{action}", title, Place.TRANSCRIPT, hint, priority=True)


def _selecting(id: str, keys: str, action: str, title: str, hint: str = "", label: str = "") -> Command:
    return Command(
        f"select.{id}", keys, f"screen.{action}", title, Place.SELECTING, hint, priority=True, label=label
    )


def _finding(id: str, keys: str, action: str, title: str, hint: str = "") -> Command:
    return Command(f"find.{id}", keys, f"screen.find_{action}", title, Place.FINDING, hint, priority=True)


READING: tuple[Command, ...] = (
    _on("read.previous", "k", "step(-1)", "Message before", "up"),
    _on("read.next", "j,ctrl+down", "step(1)", "Message after", "down"),
    _on("read.leave", "tab,i,escape", "write", "Back to the input", "write"),
    _on("message.edit", "e", "edit", "Edit the message, and send it as a branch of its own", "edit"),
    _on("message.rewind", "w", "rewind", "Back to before the message, its text in the input"),
    _on("message.regenerate", "r", "regenerate", "Have it answered once more", "again"),
    _on("message.earlier", "left,h", "sibling(-1)", "Show the version before"),
    _on("message.later", "right,l", "sibling(1)", "Show the version after", "versions"),
    _on("message.go_on", "o", "go_on", "Have the answer go on where it ended", "go on"),
    _on("message.copy", "c,y", "copy_message", "Copy the message", "copy"),
    _on("message.code", "b", "copy_code", "Copy a code block, by its number if there are several",
        "copy code"),
    _on("message.save", "S", "save_code", "Save a code block to a file"),
    _on("select.begin", "v", "select(False)", "Select text, from the message or block on", "select"),
    _on("select.lines", "V", "select(True)", "Select whole lines"),
    _on("block.before", "left_square_bracket", "block(-1)", "Select the block of text before"),
    _on("block.after", "right_square_bracket", "block(1)", "Select the block of text after"),
    _on("message.open", "E", "open_message", "Open the message in your own editor"),
    _on("message.thinking", "t,space", "toggle_thinking", "Unfold or fold the thinking", "thinking"),
    _on("message.record", "s", "record", "Show how it was answered: speed, memory, heat, settings"),
    _on("message.delete", "d,delete", "remove", "Delete the message and all below it", "delete"),
    _on("tree.undo", "u,ctrl+z", "undo", "Undo; at a context cut, send it again", "undo"),
    _on("tree.redo", "U,ctrl+y", "redo", "Do again what was undone"),
    _on("message.fork", "f", "fork_here", "Go on from here in a session of its own", "fork"),
    _on("message.models", "m", "other_models", "Have other models answer, to compare", "other models"),
    _on("message.exactly", "x", "regenerate_exactly", "Answer again exactly: same model, settings and seed"),
    _on("message.pin", "p", "pin", "Pin the message in the context, or let it go", "pin"),
    _on("message.name", "n", "name_branch", "Name this branch", "name"),
    _on("read.find", "slash", "find_here", "Find words in this conversation", "find"),
    _on("read.line_up", "up", "line(-1)", "A line up"),
    _on("read.line_down", "down", "line(1)", "A line down"),
    _on("read.half_up", "ctrl+u", "half(-1)", "Half a page up"),
    _on("read.half_down", "ctrl+d", "half(1)", "Half a page down"),
    _on("read.home", "home,g", "home", "To the beginning of the conversation"),
    _on("read.tail", "end,G", "tail", "Back to the newest text", "newest"),
    Command("read.help", "question_mark", "app.help", "Show what the keys do here", Place.TRANSCRIPT),
    Command("read.palette", "colon", "app.palette", "Show all commands", Place.TRANSCRIPT),
    _selecting("left", "left,h", "caret('left')", "A character to the left"),
    _selecting("right", "right,l", "caret('right')", "A character to the right", "extend", "←↓↑→"),
    _selecting("up", "up,k", "caret('up')", "A line up"),
    _selecting("down", "down,j", "caret('down')", "A line down"),
    _selecting("word_left", "b", "caret('word_left')", "A word to the left"),
    _selecting("word_right", "w,e", "caret('word_right')", "A word to the right", "word"),
    _selecting("line_start", "home,0", "caret('start')", "To the beginning of the line"),
    _selecting("line_end", "end,dollar_sign", "caret('end')", "To the end of the line"),
    _selecting("block_up", "left_curly_bracket", "caret('block_up')", "To the beginning of the block above"),
    _selecting("block_down", "right_curly_bracket", "caret('block_down')", "To the end of the block below"),
    _selecting("block_before", "left_square_bracket", "block(-1)", "Select the block before"),
    _selecting("block_after", "right_square_bracket", "block(1)", "Select the block after"),
    _selecting("swap", "o", "swap_ends", "To the other end of what is selected", "other end"),
    _selecting("whole", "V", "whole_lines", "Select whole lines, or no longer", "lines"),
    _selecting("copy", "y,c,enter", "copy_selected", "Copy what is selected", "copy"),
    _selecting("leave", "escape,v,q", "select_no_more", "Select nothing", "leave"),
    _finding("next", "enter,down", "step(1)", "The next match", "next"),
    _finding("before", "up,shift+enter", "step(-1)", "The match before", "before"),
    _finding("elsewhere", "ctrl+b", "elsewhere", "A message on another branch that has it", "other branches"),
    _finding("close", "escape", "close", "Close the bar, and stay where one is", "close"),
)  # fmt: skip
