"""An app whose screen is painted by a `Painter`: only what changed, and no faster than the line takes it."""

from __future__ import annotations

import os

from rich.color import ColorSystem
from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import Screen

from tui_chat.ui import terminal
from tui_chat.ui.driver import PromptDriver
from tui_chat.ui.output.canvas import Canvas
from tui_chat.ui.output.line import Line
from tui_chat.ui.output.painter import Painter

SYNC = "\x1b[?2026h", "\x1b[?2026l"
"""Around what is to be shown at once, for terminals that have said they can do so."""


class PaintedApp(App[int]):
    """An app on a terminal, however slow."""

    def __init__(self, line: Line | None = None) -> None:
        """Make the app; `line` is what is known of the way to the terminal."""
        super().__init__(driver_class=PromptDriver)
        self.line = line or Line()
        self._painter: Painter | None = None

    def line_changed(self) -> None:
        """Called when the line has turned out to be slow, or quick again."""

    def to_terminal(self, sequence: str) -> None:
        """Send the terminal something that is nothing to paint."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def repaint(self) -> None:
        """Write the whole screen anew, whatever the terminal shows."""
        if self._painter is not None:
            self._painter.repaint()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Paint an update; replaces Textual's method, which would write all that it touches."""
        driver = self._driver
        paintable = self._running and not self._closed and not self._batch_count
        if not (paintable and isinstance(driver, PromptDriver) and isinstance(renderable, CompositorUpdate)):
            super()._display(screen, renderable)
            return
        painter = self._painter or self._make_painter(driver)
        if painter.take(renderable, self.screen.outer_size.clamp_offset(self.cursor_position)):
            self.post_display_hook()
        else:
            super()._display(screen, renderable)
            painter.canvas.forget()

    def _make_painter(self, driver: PromptDriver) -> Painter:
        colours = self.console._color_system or ColorSystem.TRUECOLOR
        canvas = Canvas(colours, erases=terminal.erases(os.environ))
        self._painter = driver.painter = Painter(canvas, self.line, self._send_frame, self.line_changed)
        return self._painter

    def _send_frame(self, frame: str) -> None:
        if self._driver is not None:
            begin, end = SYNC if self._sync_available else ("", "")
            self._driver.write(f"{begin}{frame}{end}")
