"""The file that Textual's writer thread writes to: the terminal, with a watch beside it."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from time import monotonic


class Outlet:
    """Writes to a terminal at once, however little it takes at a time, and tells how long that took.

    A terminal that is gone takes everything: what is written to it is lost without an error, and whoever
    would have to know is told by its hang-up.

    Args:
        fileno: The terminal.
        encoding: How text is written there.
        told: Called when nothing is left to write, with when that began and ended (`monotonic`) and how
            many bytes it was; in the thread that writes.
    """

    def __init__(self, fileno: int, encoding: str, told: Callable[[float, float, int], None]) -> None:
        self._fileno = fileno
        self._encoding = encoding
        self._told = told
        self._began = 0.0
        self._size = 0
        self.gone = False
        """Whether there is no terminal any more."""

    def fileno(self) -> int:
        """The terminal."""
        return self._fileno

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._fileno)

    def write(self, text: str) -> None:
        """Write all of `text`."""
        left = memoryview(text.encode(self._encoding, "replace"))
        if not self._size:
            self._began = monotonic()
        self._size += len(left)
        while left and not self.gone:
            try:
                left = left[os.write(self._fileno, left) :]
            except BlockingIOError:  # somebody who shares the terminal made it so
                select.select([], [self._fileno], [])
            except OSError:
                self.gone = True

    def flush(self) -> None:
        """Tell that nothing is left; Textual's writer calls this when its queue is empty."""
        size, self._size = self._size, 0
        if size and not self.gone:
            self._told(self._began, monotonic(), size)
