"""Where the keyboard is in the text of the transcript, and where its moves lead."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tui_chat.ui.transcript.entries import Entries
from tui_chat.ui.transcript.lines import Line
from tui_chat.ui.transcript.selection import word_at


class Move(enum.Enum):
    """A way to go on from a character."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    WORD_LEFT = "word_left"
    WORD_RIGHT = "word_right"
    START = "start"
    END = "end"
    BLOCK_UP = "block_up"
    BLOCK_DOWN = "block_down"


@dataclass(frozen=True, slots=True, order=True)
class Caret:
    """A character: the entry, the line within it, and the place in the line's text."""

    entry: int
    line: int
    x: int = 0


class Walker:
    """Finds the way through entries, of which only those that are reached are rendered."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def text(self, caret: Caret) -> str:
        """The text of the line where `caret` is."""
        return self._line(caret).text

    def last(self, caret: Caret) -> Caret:
        """The last character of the line."""
        return replace(caret, x=max(0, len(self.text(caret)) - 1))

    def moved(self, caret: Caret, move: Move, goal: int = 0) -> Caret:
        """Return where a move leads; where there is nothing more, it leads nowhere.

        Going up and down aims at the column `goal`.
        """
        match move:
            case Move.LEFT:
                return replace(caret, x=caret.x - 1) if caret.x else self._end_above(caret)
            case Move.RIGHT:
                further = caret.x + 1 < len(self.text(caret))
                return replace(caret, x=caret.x + 1) if further else self._start_below(caret)
            case Move.UP | Move.DOWN:
                there = self._neighbour(caret, -1 if move is Move.UP else 1)
                return replace(there, x=min(goal, self.last(there).x)) if there else caret
            case Move.WORD_LEFT | Move.WORD_RIGHT:
                return self._word(caret, forward=move is Move.WORD_RIGHT)
            case Move.START:
                return replace(caret, x=0)
            case Move.END:
                return self.last(caret)
            case Move.BLOCK_UP | Move.BLOCK_DOWN:
                block = self.block(caret, -1 if move is Move.BLOCK_UP else 1)
                return block[0] if move is Move.BLOCK_UP else self.last(block[1])

    def block(self, caret: Caret, step: int) -> tuple[Caret, Caret]:
        """Return the first and the last line of the block above or below; those of this one if there is none.

        A block is what stands between blank lines, or between the name of who speaks and one. `step` 0 means
        the one here, or below if there is none here.
        """
        here: Caret | None = replace(caret, x=0)
        direction = step or 1
        if step:
            while here is not None and self._is_text(here):
                here = self._neighbour(here, direction)
        while here is not None and not self._is_text(here):
            here = self._neighbour(here, direction)
        if here is None:
            return (replace(caret, x=0), replace(caret, x=0)) if not step else self.block(caret, 0)
        return self._far(here, -1), self._far(here, 1)

    def _far(self, caret: Caret, step: int) -> Caret:
        while (there := self._neighbour(caret, step)) is not None and self._is_text(there):
            if there.entry != caret.entry:
                break
            caret = there
        return caret

    def _is_text(self, caret: Caret) -> bool:
        line = self._line(caret)
        return caret.line > 0 and bool(line.content or line.margin)

    def _word(self, caret: Caret, *, forward: bool) -> Caret:
        """The beginning of the next word, or of this one, or of the one before."""
        for there in self._starts(caret, forward=forward):
            if (there > caret) if forward else (there < caret):
                return there
        return caret

    def _starts(self, caret: Caret, *, forward: bool) -> Iterator[Caret]:
        """Yield the beginnings of words on this line and on those after or before it."""
        here: Caret | None = caret
        while here is not None:
            text = self.text(here)
            starts = [x for x in range(len(text)) if (span := word_at(text, x)) and span[0] == x]
            yield from (replace(here, x=x) for x in (starts if forward else reversed(starts)))
            here = self._neighbour(here, 1 if forward else -1)

    def _end_above(self, caret: Caret) -> Caret:
        above = self._neighbour(caret, -1)
        return self.last(above) if above else caret

    def _start_below(self, caret: Caret) -> Caret:
        return self._neighbour(caret, 1) or caret

    def _neighbour(self, caret: Caret, step: int) -> Caret | None:
        """The beginning of the line below or above; None beyond the ends."""
        entry, line = caret.entry, caret.line + step
        if line < 0:
            entry -= 1
            line = len(self._entries.lines(entry)) - 1 if entry >= 0 else -1
        elif line >= len(self._entries.lines(entry)):
            entry, line = entry + 1, 0
        return Caret(entry, line) if 0 <= entry < len(self._entries) else None

    def _line(self, caret: Caret) -> Line:
        return self._entries.lines(caret.entry)[caret.line]
