"""Remembers how panels were arranged, without ever keeping a key waiting."""

from __future__ import annotations

import asyncio
import logging

from tui_chat.store.arrangement import Arrangement, ArrangementFile
from tui_chat.store.errors import StoreError

log = logging.getLogger("tui_chat.ui")


class ArrangementKeeper:
    """Writes the newest arrangement; those that it replaced while the disk was busy never get there."""

    def __init__(self, file: ArrangementFile) -> None:
        self._file = file
        self._newest: Arrangement | None = None
        self._task: asyncio.Task[None] | None = None

    async def read(self) -> Arrangement:
        """Return what was kept."""
        return await asyncio.to_thread(self._file.read)

    def keep(self, arrangement: Arrangement) -> None:
        """Write `arrangement`, or a newer one, as soon as the disk has time."""
        self._newest = arrangement
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    async def flush(self) -> None:
        """Wait until all is written."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        while self._newest is not None:
            arrangement, self._newest = self._newest, None
            try:
                await asyncio.to_thread(self._file.write, arrangement)
            except StoreError as error:
                log.warning("panels not remembered: %s", error)
