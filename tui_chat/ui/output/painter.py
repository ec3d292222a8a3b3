"""Paints the canvas onto the terminal: the newest state whenever the terminal has taken the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from textual._compositor import CompositorUpdate
from textual.geometry import Offset, Size

from tui_chat.ui.output.canvas import Canvas
from tui_chat.ui.output.line import Line

ASK = "\x1b[5n"
"""Are you there? Every terminal since the VT100 answers, once it has read all that came before."""


class Painter:
    """Joins canvas, line and terminal. Nothing waits in a queue: what is old is never written.

    Args:
        canvas: What the screen should show.
        line: What is known of the line.
        send: Hands a frame to whoever writes; `written` must be called when all is written.
        changed: Called when the line turns out to be slow, or quick again.
    """

    def __init__(
        self, canvas: Canvas, line: Line, send: Callable[[str], None], changed: Callable[[], None]
    ) -> None:
        self.canvas = canvas
        self.line = line
        self._send = send
        self._changed = changed
        self._cursor = Offset(0, 0)
        self._writing = False
        self._asked: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def take(self, update: CompositorUpdate, cursor: Offset) -> bool:
        """Paint an update as soon as the line allows; False if it is of a kind that cannot be."""
        if not self.canvas.take(update):
            return False
        self._cursor = cursor
        self.paint()
        return True

    def paint(self) -> None:
        """Write what has changed, or see to it that it is written in time."""
        if self._stopped or self._writing or self._timer is not None or not self.canvas.behind:
            return
        if (wait := self.line.wait(monotonic())) > 0:
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)
        elif frame := self.canvas.frame(self._cursor, self.line.slice):
            self._writing = True
            if self.line.greets(monotonic()):
                self._asked, frame = 0, ASK + frame
            elif self.line.asks(monotonic(), len(frame)):
                self._asked, frame = len(frame), frame + ASK
            self._send(frame)

    def written(self, began: float, ended: float, size: int) -> None:
        """Take note that everything sent has been written."""
        before = self.line.slow
        self.line.wrote(began, ended, size, asked=self._asked)
        self._writing, self._asked = False, None
        self._go_on(before)

    def answered(self, at: float) -> None:
        """Take note that the terminal has answered `ASK`."""
        before = self.line.slow
        self.line.answered(at)
        if self._timer is not None and not self.line.slow:
            self._timer.cancel()
            self._timer = None
        self._go_on(before)

    def stop(self) -> None:
        """Write nothing until `start`."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def start(self) -> None:
        """Begin anew, on a terminal of which nothing is known."""
        self._stopped, self._writing, self._asked = False, False, None
        self.line.begin_anew()
        self.repaint()

    def repaint(self) -> None:
        """Write everything, whatever the terminal shows."""
        self.canvas.forget()
        self.paint()

    def resized(self, size: Size) -> None:
        """Take note that the terminal has, or again has, this size; what it shows is anybody's guess."""
        if size == self.canvas.size:
            self.repaint()
        else:
            self.canvas.forget()

    def _due(self) -> None:
        self._timer = None
        self.paint()

    def _go_on(self, before: bool) -> None:
        if self.line.slow != before:
            self._changed()
        self.paint()
