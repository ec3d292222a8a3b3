"""Control sequences that write cells, as few bytes of them as will do: pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tui_chat.ui.output.cells import PLAIN, Cell, Pen

_WORTH_ERASING = 8
"""Blanks in a row from which on erasing them takes fewer bytes than writing them."""

_WORTH_WRITING = 4
"""Unchanged cells between changed ones up to which writing them is as good as a jump."""


def move_to(x: int, y: int) -> str:
    """Put the cursor somewhere, counted from 0."""
    return f"\x1b[{y + 1};{x + 1}H"


def change_pen(old: Pen, new: Pen) -> str:
    """Go on with another pen."""
    out = ""
    if old.link != new.link:
        out = f"\x1b]8;{new.link or ';'}\x1b\\"
    codes: list[str] = []
    if old.attributes != new.attributes:
        codes = ["0", *filter(None, (new.attributes, new.colour, new.ground))]
    else:
        if old.colour != new.colour:
            codes.append(new.colour or "39")
        if old.ground != new.ground:
            codes.append(new.ground or "49")
    if new == PLAIN and codes:
        codes = [""]
    return f"{out}\x1b[{';'.join(codes)}m" if codes else out


def changes(old: Sequence[Cell | None], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """Say which cells of a line must be written anew, as starts and ends.

    Where terminals disagree about widths, that is everything behind: what stood there may be anywhere.
    """
    differ = [x for x, (was, now) in enumerate(zip(old, new, strict=True)) if was is not now and was != now]
    if not differ:
        return []
    unsure = next(
        (
            x
            for x, (was, now) in enumerate(zip(old, new, strict=True))
            if not (now.sure and (not was or was.sure))
        ),
        None,
    )
    spans: list[tuple[int, int]] = []
    for x in differ:
        start = x - 1 if x and not new[x].text else x
        end = x + 2 if x + 1 < len(new) and not new[x + 1].text else x + 1
        if spans and start - spans[-1][1] <= _WORTH_WRITING:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    if unsure is not None:
        return [(min(unsure, spans[0][0]), len(new))]
    return spans


class Writer:
    """Writes cells into one string.

    Args:
        erases: Whether the terminal erases with the ground of the pen, and erases parts of a line.
    """

    def __init__(self, *, erases: bool) -> None:
        self.out: list[str] = []
        self.length = 0
        self._erases = erases
        self._pen = PLAIN

    def put(self, text: str) -> None:
        """Write text, or a sequence."""
        self.out.append(text)
        self.length += len(text)

    def line(self, y: int, cells: Sequence[Cell], spans: Sequence[tuple[int, int]]) -> None:
        """Write `spans` of a line."""
        at = -1
        for start, end in spans:
            self.put(f"\x1b[{start - at}C" if 0 <= at < start else move_to(start, y))
            at = self._span(y, cells, start, end)

    def end(self) -> None:
        """Put the pen down."""
        self.put(change_pen(self._pen, PLAIN))
        self._pen = PLAIN

    def _span(self, y: int, cells: Sequence[Cell], start: int, end: int) -> int:
        """Write cells; returns the column where the cursor is after that, or -1 if nobody knows."""
        at = x = start
        for (pen, blank), group in groupby(cells[start:end], _kind):
            run = list(group)
            if at != x:
                self.put(f"\x1b[{x - at}C" if at >= 0 else move_to(x, y))
            at = x
            if not (blank and self._pen._replace(colour="") == pen):
                self.put(change_pen(self._pen, pen))
                self._pen = pen
            x += len(run)
            if not blank or len(run) < _WORTH_ERASING:
                at = self._text(y, run, at)
            elif x == len(cells) and (self._erases or pen == PLAIN):
                self.put("\x1b[K")
            elif self._erases:
                self.put(f"\x1b[{len(run)}X")
            else:
                at = self._text(y, run, at)
        return at

    def _text(self, y: int, run: Sequence[Cell], x: int) -> int:
        """Write what one pen writes; returns the column behind it, or -1."""
        known = True
        for place, cell in enumerate(run, x):
            if not known and cell.text:
                self.put(move_to(place, y))
            self.put(cell.text)
            known = cell.sure
        return x + len(run) if known else -1


def _kind(cell: Cell) -> tuple[Pen, bool]:
    return cell.pen, cell.text == " " and cell.pen.bare
