"""What the screen should show and what the terminal shows, cell by cell; between them lies what to write."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Offset, Size
from textual.strip import Strip

from tui_chat.ui.output.cells import BLANK, Cell, cells_of
from tui_chat.ui.output.writing import Writer, changes, move_to


class Canvas:
    """Takes what Textual would have written, and gives what has changed since.

    Args:
        colours: What the terminal can show.
        erases: Whether the terminal erases parts of a line, and leaves them in the ground of the pen.
    """

    def __init__(self, colours: ColorSystem, *, erases: bool) -> None:
        self._colours = colours
        self._erases = erases
        self._wanted: list[list[Cell]] = []
        self._shown: list[list[Cell | None]] = []
        self._dirty: set[int] = set()

    @property
    def size(self) -> Size:
        """Columns and rows."""
        return Size(len(self._wanted[0]) if self._wanted else 0, len(self._wanted))

    @property
    def behind(self) -> bool:
        """Whether the terminal shows less than it should."""
        return bool(self._dirty)

    def take(self, update: CompositorUpdate) -> bool:
        """Take an update of the screen; False for a kind of update that cannot be taken."""
        if isinstance(update, LayoutUpdate):
            self._fit(update.region.right, update.region.bottom)
            for y, strips in enumerate(update.strips, update.region.y):
                self._put(update.region.x, y, strips)
        elif isinstance(update, ChopsUpdate):
            if len(update.chops) != len(self._wanted):
                return False
            self._take_chops(update)
        else:
            return False
        return True

    def forget(self) -> None:
        """Believe nothing of what the terminal shows: another size, or another program, has been there."""
        self._shown = [[None] * len(row) for row in self._wanted]
        self._dirty = set(range(len(self._wanted)))

    def frame(self, cursor: Offset, limit: int | None = None) -> str:
        """Write what has changed, and put the cursor in its place.

        Args:
            cursor: Where the cursor belongs; its line is written first.
            limit: After how many bytes no further line is begun; the rest is left to the next frame.

        Returns:
            What to send to the terminal; empty if there is nothing.
        """
        writer = Writer(erases=self._erases)
        for y in sorted(self._dirty, key=lambda y: (y != cursor.y, y)):
            if limit is not None and writer.length >= limit:
                break
            self._dirty.discard(y)
            wanted, shown = self._wanted[y], self._shown[y]
            if spans := changes(shown, wanted):
                writer.line(y, wanted, spans)
                for start, end in spans:
                    shown[start:end] = wanted[start:end]
        if not writer.length:
            return ""
        writer.end()
        writer.put(move_to(*cursor))
        return "".join(writer.out)

    def _fit(self, width: int, height: int) -> None:
        if self.size != (width, height):
            self._wanted = [[BLANK] * width for _ in range(height)]
            self.forget()

    def _take_chops(self, update: ChopsUpdate) -> None:
        """Take what `ChopsUpdate.render_segments` would have written."""
        for y, left, right in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is None or x > right or end <= left:
                    continue
                whole = left <= x < right and end <= right
                self._put(x, y, (strip if whole else strip.crop(0, min(end, right) - x),))

    def _put(self, x: int, y: int, strips: Iterable[Strip]) -> None:
        row = self._wanted[y]
        cells = cells_of(strips, self._colours)[: len(row) - x]
        end = x + len(cells)
        if not cells or row[x:end] == cells:
            return
        if not row[x].text and x:  # half of a wide character is none
            row[x - 1] = BLANK._replace(pen=row[x - 1].pen)
        if end < len(row) and not row[end].text:
            row[end] = BLANK._replace(pen=row[end].pen)
        row[x:end] = cells
        self._dirty.add(y)
