"""A scrolled view of entries: paints what is visible, follows the end, and keeps its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.ui.transcript.entries import Entries
from tui_chat.ui.transcript.lines import Line
from tui_chat.ui.transcript.markdown import warm_up
from tui_chat.ui.transcript.marks import Marks
from tui_chat.ui.transcript.messages import Following
from tui_chat.ui.transcript.paint import GUTTER, Painter
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.selection import key

MEASURE = 100
"""Widest a line of text gets, in cells; longer ones are hard to read."""


_WARM_UP = 0.3
"""Seconds after the first paint until the parser and the highlighter are imported."""


class Viewport(ScrollView):
    """Shows entries, of which only the visible ones are rendered.

    While the view is at the end it follows what is added there; scrolling up lets go, and going to
    the end takes hold again. What is being read stays where it is while heights above it change.
    """

    DEFAULT_CSS = """
    Viewport {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-color: $scrollbar;
        scrollbar-color-hover: $scrollbar-hover;
        scrollbar-color-active: $scrollbar-active;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._palette = Palette()
        self._entries = Entries(self._palette)
        self._painter = Painter(self._palette)
        self._follow = True
        self._unseen = False
        self._said = (True, False)
        self._placing = False
        self._painting = False
        self._focused: str | None = None
        self._marks: Marks | None = None

    @property
    def following(self) -> bool:
        """Whether the view follows the end."""
        return self._follow

    # Moving

    def follow_end(self) -> None:
        """Go to the end and follow it."""
        self._follow = True
        self._changed()

    def scroll_by(self, lines: int) -> None:
        """Scroll by lines: down, or up when negative."""
        self._go_to(self.scroll_offset.y + lines)

    def scroll_by_pages(self, pages: int) -> None:
        """Scroll by screens, less two lines that stay in view."""
        self.scroll_by(pages * max(1, self._height - 2))

    def action_scroll_up(self) -> None:
        """Scroll up a line."""
        self.scroll_by(-1)

    def action_scroll_down(self) -> None:
        """Scroll down a line."""
        self.scroll_by(1)

    def action_page_up(self) -> None:
        """Scroll up a page."""
        self.scroll_by_pages(-1)

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self.scroll_by_pages(1)

    def action_scroll_home(self) -> None:
        """Go to the beginning."""
        self._go_to(0)

    def action_scroll_end(self) -> None:
        """Go to the end and follow it."""
        self.follow_end()

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint lines of the view.

        Without border or padding the strips are used as they are, and with them all that Textual
        keeps in a strip; its own styles cache would make each of them anew whenever the view scrolls.
        """
        width, ground = self.scrollable_content_region.width, self.rich_style
        if self.styles.gutter or self.opacity < 1:
            self._painter.restyle(width, ground, self._palette)
            self._painting = True
            try:
                return super().render_lines(crop)
            finally:
                self._painting = False
        self._painter.restyle(
            width, ground, self._palette, self.get_line_filters(), self.background_colors[1]
        )
        selection = self.text_selection
        strips = [self._painted(y, selection) for y in crop.line_range]
        if crop.column_span != (0, self.region.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one line of the view; outside of painting, one that tells the mouse where it is."""
        if self._painting:
            return self._painted(y, self.text_selection)
        at = self._at(y)
        line = self._line(at)
        return self._painter.blank() if line is None else self._painter.probe(line, key(*at))

    def _painted(self, y: int, selection: Selection | None) -> Strip:
        index, number = at = self._at(y)
        line = self._line(at)
        if line is None:
            return self._painter.blank()
        focused = self._focused is not None and self._entries.items[index].id == self._focused
        focused = focused and number < self._entries.layout.height(index) - 1
        if selection is None or selection.get_span(key(index, number)) is None:
            item = self._entries.items[index].id
            marked = self._marks.painted(line, (item, number), self._palette) if self._marks else None
            if marked is not None:
                return self._painter.paint_once(line, focused, marked)
            return self._painter.paint(line, focused)
        return self._painter.paint_selected(line, focused, selection, key(index, number), self._selected)

    @property
    def _selected(self) -> Style:
        """The style of selected text; a transparent foreground leaves the text its own colours."""
        style = self.screen.get_component_rich_style("screen--selection")
        visible = self.screen.get_component_styles("screen--selection").color.a > 0
        return style if visible else Style(bgcolor=style.bgcolor)

    def _at(self, y: int) -> tuple[int, int]:
        y += self.scroll_offset.y
        layout = self._entries.layout
        index = layout.at(y)
        return index, y - layout.top(index) if len(layout) else 0

    def _line(self, at: tuple[int, int]) -> Line | None:
        lines = self._entries.rendered(at[0])
        return lines[at[1]] if lines is not None and at[1] < len(lines) else None

    # Keeping its place

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    def on_mount(self) -> None:
        """Take the colours of the theme, now and whenever it changes."""
        self.app.theme_changed_signal.subscribe(self, self._take_theme)
        self._take_theme()
        self.set_timer(_WARM_UP, self._warm_up)

    def _warm_up(self) -> None:
        self.run_worker(warm_up, thread=True, group="transcript")

    def on_resize(self) -> None:
        """Render for the new width what is visible, and stay at the same message."""
        self._restyle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end, or let go of it, as the user scrolls."""
        super().watch_scroll_y(old_value, new_value)
        if not self._placing and round(old_value) != round(new_value):
            self._follow = round(new_value) >= self.max_scroll_y
            self._place()

    def _take_theme(self, _: Any = None) -> None:
        self._palette = Palette.from_variables(self.app.theme_variables)
        self._restyle()

    def _restyle(self) -> None:
        region = self.scrollable_content_region
        if region.width <= 0 or region.height <= 0:
            return
        with self._held():
            width = max(1, min(MEASURE, region.width - GUTTER - 1))
            if self._entries.restyle(width, self._palette) and self.text_selection is not None:
                self.screen.clear_selection()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep what is at the top of the view there while heights change."""
        layout = self._entries.layout
        index = layout.at(self.scroll_offset.y)
        offset = self.scroll_offset.y - layout.top(index) if len(layout) else 0
        yield
        layout = self._entries.layout
        if not self._follow and len(layout):
            self._set_scroll(layout.top(index) + min(offset, max(0, layout.height(index) - 1)))
        self._changed()

    def _changed(self) -> None:
        self._place()
        self.refresh()

    def _go_to(self, y: int) -> None:
        y = max(0, y)
        self._follow = y >= self.max_scroll_y
        self._set_scroll(min(y, self.max_scroll_y))
        self._place()

    def _set_scroll(self, y: int) -> None:
        placing, self._placing = self._placing, True
        self._extend()
        self.scroll_target_y = self.scroll_y = y
        self._placing = placing

    def _extend(self) -> None:
        """Tell the scroll bar how long all is; no layout is needed for that."""
        size = Size(self.scrollable_content_region.width, self._entries.layout.total)
        if size != self.virtual_size:
            self.set_reactive(Viewport.virtual_size, size)
        bar = self.vertical_scrollbar
        bar.window_virtual_size = size.height
        bar.window_size = self._height

    def _place(self) -> None:
        """Render what is in view, and correct the scroll position by what that taught about heights."""
        if self._placing or self._height <= 0:
            return
        self._set_scroll(self._arranged() if self._entries else 0)
        if self._follow:
            self._unseen = False
        if (said := (self._follow, self._unseen)) != self._said:
            self._said = said
            self.post_message(Following(*said))

    def _arranged(self) -> int:
        entries, layout, height = self._entries, self._entries.layout, self._height
        top = self.scroll_offset.y
        while True:
            end = max(0, layout.total - height)
            top = end if self._follow else min(top, end)
            visible = range(layout.at(top), layout.at(top + height - 1) + 1)
            missing = [index for index in visible if entries.rendered(index) is None]
            if not missing:
                entries.forget(visible)
                return top
            anchor = next((index for index in visible if index not in missing), visible[0])
            offset = top - layout.top(anchor)
            for index in missing:
                entries.lines(index)
            top = layout.top(anchor) + min(offset, layout.height(anchor) - 1)

    def _repaint(self, y: int, lines: int, below: bool) -> None:
        first = max(0, y)
        last = self._height if below else min(self._height, y + lines)
        if first < last:
            self.refresh(Region(0, first, self.size.width, last - first))
