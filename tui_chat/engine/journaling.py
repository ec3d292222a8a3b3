"""Keeps a running answer on disk: batched, off the event loop, and never in the answer's way."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from pathlib import Path

from tui_chat.chat.model import Answer, Problem
from tui_chat.store.errors import StoreError
from tui_chat.store.journal import JournalWriter
from tui_chat.wire.api import GenerateRequest, JournalHeader
from tui_chat.wire.events import Delta, Numbered, Settled

log = logging.getLogger(__name__)

PERIOD_S = 0.2
"""Longest time that decoded text waits for the disk."""


class Journal:
    """The journal of one generation. `problem` is set once the disk refuses; the answer goes on in memory."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self._waiting: list[Numbered] = []
        self._flusher: asyncio.Task[None] | None = None
        self.problem: Problem | None = None

    @classmethod
    async def create(cls, request: GenerateRequest, started: datetime) -> Journal | None:
        """Open the journal that `request` asks for; None if it asks for none.

        Raises:
            StoreError: The file cannot be created; nothing has been generated yet.
        """
        if request.journal is None:
            return None
        header = JournalHeader(
            id=request.id,
            session=request.session,
            started=started,
            answer=Answer(model=request.model, sampling=request.sampling),
            prefix=request.prefix,
            thought=request.thought,
        )
        return cls(await asyncio.to_thread(JournalWriter, Path(request.journal), header))

    def add(self, numbered: Numbered) -> None:
        """Take note of an event; text reaches the disk within `PERIOD_S`."""
        if isinstance(numbered.event, Delta | Settled):
            self._waiting.append(numbered)
            if self._flusher is None:
                self._flusher = asyncio.create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        await asyncio.sleep(PERIOD_S)
        self._flusher = None
        await self._write()

    async def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch or self.problem:
            return
        try:
            await asyncio.to_thread(self._append, batch)
        except StoreError as error:
            log.warning("journal: %s", error.problem.what)
            self.problem = error.problem

    def _append(self, batch: list[Numbered]) -> None:
        self._writer.append(*batch)
        self._writer.sync()

    async def close(self, last: Numbered) -> None:
        """Write what is waiting and `last`, and close: afterwards the file belongs to the terminal."""
        if self._flusher:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
        self._waiting.append(last)
        await self._write()
        await asyncio.to_thread(self._writer.close)
