"""Has the kernel read files into its cache before anybody loads them: that costs nobody's time or memory."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from tui_chat.library.files import files_of

log = logging.getLogger(__name__)

GUESSES = 3
"""Models whose files are read ahead by habit: among the three likeliest is the next one, as a rule."""
_WINDOW = 128 << 10
"""Bytes asked for at once. The kernel reads one window for each call, however much it is asked for."""


class ReadAhead:
    """Reads models' files one after the other, in the background; whoever asks next takes their place."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._reading: asyncio.Task[None] | None = None

    def begin(self, models: Iterable[Path], room: int) -> None:
        """Read the files of `models`, all parts of split ones, up to `room` bytes altogether."""
        self.stop()
        self._stopped = stopped = threading.Event()
        self._reading = asyncio.create_task(asyncio.to_thread(_read_all, list(models), room, stopped.is_set))

    def stop(self) -> None:
        """Ask for no more."""
        self._stopped.set()

    async def done(self) -> None:
        """Wait until all has been asked for."""
        if self._reading is not None:
            await asyncio.wait((self._reading,))


def _read_all(models: list[Path], room: int, stopped: Callable[[], bool]) -> None:
    for model in models:
        try:
            for file in files_of(model):
                room -= _read(file.path, room, stopped)
        except (OSError, ValueError) as error:
            log.info("%s is not read ahead: %s", model, error)


def _read(path: Path, room: int, stopped: Callable[[], bool]) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = min(room, os.fstat(fd).st_size)
        for place in range(0, size, _WINDOW):
            if stopped():
                break
            os.posix_fadvise(fd, place, _WINDOW, os.POSIX_FADV_WILLNEED)
        return size
    finally:
        os.close(fd)
