"""Loads what is usually turned to next, while nobody waits for anything and nobody has to go for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tui_chat.memory.residency import Habits

log = logging.getLogger(__name__)

_LIKELY = 0.6
"""The least chance: as when both of two switches so far led there, or three of four."""


class Prewarmer:
    """Makes one guess for each time that a model was used.

    Args:
        habits: What has followed what here.
        load: Loads a model if it fits beside everything else; says whether it did.
    """

    def __init__(self, habits: Habits, load: Callable[[str], Awaitable[bool]]) -> None:
        self._habits = habits
        self._load = load
        self._guessed_after = 0.0
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Load the next model in the background if one is likely; call it while nobody waits for anything."""
        used = self._habits.latest
        busy = self._task is not None and not self._task.done()
        if busy or used <= self._guessed_after:
            return
        self._guessed_after = used
        likely = self._habits.likely_next()
        if likely is not None and self._habits.next_chance(likely) >= _LIKELY:
            self._task = asyncio.create_task(self._warm(likely))

    async def _warm(self, model: str) -> None:
        if await self._load(model):
            log.info("%s is loaded because it usually comes next", model)
