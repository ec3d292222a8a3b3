"""Guesses what is turned to next: loads it where nobody has to go for it, and reads files ahead."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tui_chat.engine.ahead import GUESSES, ReadAhead
from tui_chat.engine.swap.choice import Chooser

log = logging.getLogger(__name__)

LIKELY = 0.6
"""The least chance for a load: as when both of two switches so far led there, or three of four."""


class Prewarmer:
    """Makes one guess for each time that a model was used.

    Args:
        chooser: Knows the habits, who is in memory, and how much RAM is free for files.
        load: Loads a model if it fits beside everything else; says whether it did.
    """

    def __init__(self, chooser: Chooser, load: Callable[[str], Awaitable[bool]]) -> None:
        self._chooser = chooser
        self._load = load
        self._ahead = ReadAhead()
        self._guessed_after = 0.0
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Act on a new guess in the background; call it while nobody waits for anything."""
        used = self._chooser.habits.latest
        busy = self._task is not None and not self._task.done()
        if not busy and used > self._guessed_after:
            self._guessed_after = used
            self._task = asyncio.create_task(self._guess())

    def stop(self) -> None:
        """Read no more: somebody waits for something."""
        self._ahead.stop()

    async def _guess(self) -> None:
        habits, table = self._chooser.habits, self._chooser.table
        next_one = habits.likely_next()
        if next_one is not None and habits.next_chance(next_one) >= LIKELY and await self._load(next_one):
            log.info("%s is loaded because it usually comes next", next_one)
        likely = [Path(path) for path in habits.likely(time.time())[:GUESSES] if table.get(path) is None]
        if likely:  # it takes memory from nobody: pages of files are what the kernel drops first
            self._ahead.begin(likely, (await self._chooser.machine()).ram.free_bytes)
