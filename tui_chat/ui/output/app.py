"""An app whose screen is painted by a `Painter`: only what changed, and no faster than the line takes it."""

from __future__ import annotations

import os

from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.driver import Driver
from textual.screen import Screen

from tui_chat.ui import terminal
from tui_chat.ui.driver import PromptDriver
from tui_chat.ui.output.canvas import Canvas
from tui_chat.ui.output.line import Line
from tui_chat.ui.output.painter import Painter
from tui_chat.ui.reach.kinds import POP_TITLE, PUSH_TITLE, has_titles

SYNC = "\x1b[?2026h", "\x1b[?2026l"
"""Around what is to be shown at once, for terminals that have said they can do so."""


class PaintedApp(App[int]):
    """An app on a terminal, however slow."""

    def __init__(self, line: Line | None = None) -> None:
        """Make the app; `line` is what is known of the way to the terminal."""
        super().__init__(driver_class=PromptDriver)
        self.line = line or Line()
        self._painter: Painter | None = None
        self.attended: bool | None = None
        """Whether the terminal has the focus; None until it says so."""

    async def on_event(self, event: events.Event) -> None:
        """Take note of the focus on its way."""
        match event:
            case events.AppFocus() | events.AppBlur():
                self.attended = isinstance(event, events.AppFocus)
            case events.Key() if self.attended is False:
                self.attended = True
        await super().on_event(event)

    @property
    def has_title(self) -> bool:
        """Whether the terminal has a title to write into."""
        return has_titles(os.environ) and not self.is_headless

    def action_suspend(self) -> None:
        """Go back to the shell until it continues us; without one that could, stay."""
        if terminal.has_job_control():
            self.action_suspend_process()
        else:
            self.notify("there is no shell here that could bring the chat back", markup=False, timeout=4)

    def action_redraw(self) -> None:
        """Paint the whole screen anew."""
        self.repaint()

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

    def _build_driver(
        self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None
    ) -> Driver:
        driver = super()._build_driver(headless, inline, mouse, size)
        if isinstance(driver, PromptDriver) and has_titles(os.environ):
            driver.after_start, driver.before_stop = PUSH_TITLE, POP_TITLE
        return driver

    def _set_pointer_shape(self, shape: str) -> None:
        """Leave the pointer alone: every shape would be bytes, and what was found could not be restored."""

    def _make_painter(self, driver: PromptDriver) -> Painter:
        colours = self.console._color_system or ColorSystem.TRUECOLOR
        canvas = Canvas(colours, erases=terminal.erases(os.environ))
        self._painter = driver.painter = Painter(canvas, self.line, self._send_frame, self._tell_line)
        return self._painter

    def _tell_line(self) -> None:
        self.call_later(self.line_changed)  # a painter is called from anywhere

    def _send_frame(self, frame: str) -> None:
        if self._driver is not None:
            begin, end = SYNC if self._sync_available else ("", "")
            self._driver.write(f"{begin}{frame}{end}")
