"""Lines painted as strips: gutter, margin and text on the widget's ground, kept while they are in view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.color import Color
from textual.filter import LineFilter
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.ui.transcript.lines import BLANK, Content, Line, width_of
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.selection import offsets, painted

GUTTER = 1
"""Columns before each line, where the focused message is marked."""

_KEPT = 320
"""Strips kept, with all that Textual caches in each: a few screens."""


class _Row(Strip):
    """A strip as wide as its widget; undivided it is not kept in its own cache.

    There it would be a reference cycle, which only the garbage collector frees, and that runs seldom.
    """

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        cuts = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if cuts == [self.cell_length] else super().divide(cuts)


class Painter:
    """Makes strips of lines. A line object is painted once for as long as it is kept."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._strips: LRUCache[tuple[int, bool], tuple[Line, Strip]] = LRUCache(_KEPT)
        self._width = 0
        self._ground = Style()
        self._filters: tuple[LineFilter, ...] = ()
        self._background = Color(0, 0, 0)

    def restyle(
        self,
        width: int,
        ground: Style,
        palette: Palette,
        filters: Sequence[LineFilter] = (),
        background: Color | None = None,
    ) -> None:
        """Paint at this width, on this ground, through these filters, from now on."""
        style = (width, ground, palette, tuple(filters), background or self._background)
        if style != (self._width, self._ground, self._palette, self._filters, self._background):
            self._width, self._ground, self._palette, self._filters, self._background = style
            self._strips.clear()

    def paint(self, line: Line, focused: bool) -> Strip:
        """Return the strip of a line."""
        found = self._strips.get((id(line), focused))
        if found is not None and found[0] is line:
            return found[1]
        strip = self._strip([self._gutter(focused), *line.margin, *line.content])
        self._strips[(id(line), focused)] = line, strip
        return strip

    def paint_selected(self, line: Line, focused: bool, selection: Selection, y: int, style: Style) -> Strip:
        """Return the strip of a line with what is selected of it in `style`."""
        return self.paint_once(line, focused, painted(line.content, selection, y, style))

    def paint_once(self, line: Line, focused: bool, content: Content) -> Strip:
        """Return the strip of a line with other `content`; it is not kept."""
        return self._strip([self._gutter(focused), *line.margin, *content])

    def probe(self, line: Line, y: int) -> Strip:
        """Return a strip that tells which character is under each cell, for the mouse."""
        segments = [self._gutter(False), *line.margin, *line.content]
        return Strip(offsets(segments, 1 + len(line.margin), y) or [Segment("")])

    def blank(self) -> Strip:
        """Return an empty line."""
        return self.paint(BLANK, False)

    def _gutter(self, focused: bool) -> Segment:
        return Segment("▎", self._palette.focus) if focused else Segment(" " * GUTTER)

    def _strip(self, segments: list[Segment]) -> Strip:
        ground = self._ground
        styled = [Segment(text, ground + style if style else ground) for text, style, _ in segments]
        size = width_of(styled)
        if size < self._width:
            styled.append(Segment(" " * (self._width - size), ground))
        strip = Strip(styled, max(size, self._width)).crop(0, self._width)
        for line_filter in self._filters:
            strip = strip.apply_filter(line_filter, self._background)
        return _Row(strip, self._width)
