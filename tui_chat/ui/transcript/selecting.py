"""Selecting text of the transcript with the keyboard, by characters, lines and blocks."""

from __future__ import annotations

from dataclasses import replace

from textual.geometry import Offset
from textual.selection import Selection

from tui_chat.ui.transcript.caret import Caret, Move, Walker
from tui_chat.ui.transcript.selection import key
from tui_chat.ui.transcript.viewport import Viewport


class Selecting(Viewport):
    """A viewport in which a selection reaches from where it began to where the keyboard is."""

    _anchor: Caret | None = None
    _caret = Caret(0, 0)
    _goal = 0
    _by_lines = False

    @property
    def selecting(self) -> bool:
        """Whether text is being selected with the keyboard."""
        return self._anchor is not None

    def begin_selecting(self, entry: int, *, lines: bool) -> None:
        """Begin at the first text of an entry."""
        start, _ = self._walker.block(Caret(entry, 0), 0)
        self._by_lines = lines
        self._anchor = start
        self._go(start)

    def select_block(self, entry: int, step: int) -> None:
        """Select the block after what is selected, or the one before; at first, the nearest of an entry."""
        if self._anchor is None:
            last = len(self._entries.lines(entry)) - 1
            start, end = self._walker.block(Caret(entry, 0 if step > 0 else last), step)
        else:
            start, end = self._walker.block(max(self._anchor, self._caret), step)
            if step < 0 and start == self._walker.block(min(self._anchor, self._caret), 0)[0]:
                start, end = self._walker.block(start, step)
        self._by_lines = True
        self._anchor = start
        self._go(end)

    def move_caret(self, move: Move) -> None:
        """Move the end of the selection where the keyboard is."""
        there = self._walker.moved(self._caret, move, self._goal)
        if move not in (Move.UP, Move.DOWN):
            self._goal = there.x
        self._go(there)

    def swap_ends(self) -> None:
        """Move the keyboard to where the selection began."""
        if self._anchor is not None:
            self._anchor, caret = self._caret, self._anchor
            self._goal = caret.x
            self._go(caret)

    def toggle_lines(self) -> None:
        """Select whole lines, or characters again."""
        self._by_lines = not self._by_lines
        self._go(self._caret)

    def end_selecting(self) -> None:
        """Select nothing any longer."""
        if self._anchor is not None:
            self._anchor = None
            self.screen.clear_selection()

    @property
    def selected_text(self) -> str:
        """What is selected, without trailing blank lines."""
        return (self.screen.get_selected_text() or "").rstrip("\n")

    @property
    def _walker(self) -> Walker:
        return Walker(self._entries)

    def _go(self, caret: Caret) -> None:
        """Put the keyboard there, select from where it began, and have it in view."""
        assert self._anchor is not None
        self._caret = caret
        first, last = sorted((self._anchor, caret))
        if self._by_lines:
            first, last = replace(first, x=0), self._walker.last(last)
        self.screen.selections = {
            self: Selection(
                Offset(first.x, key(first.entry, first.line)), Offset(last.x + 1, key(last.entry, last.line))
            )
        }
        self._reveal(caret)

    def _reveal(self, caret: Caret) -> None:
        y = self._entries.layout.top(caret.entry) + caret.line
        top = self.scroll_offset.y
        if y < top:
            self._go_to(y)
        elif y >= top + self._height:
            self._go_to(y - self._height + 1)
