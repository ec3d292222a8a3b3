"""Keeps what is being typed on disk, a moment after the last key."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from tui_chat.store.errors import StoreError

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.store.drafts import Drafts

log = logging.getLogger("tui_chat.ui")

AFTER_S = 0.4


class DraftKeeper:
    """Writes the newest text of the input under the key of the conversation it belongs to."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts
        self._pending: dict[str, str] = {}
        self._attached: dict[str, tuple[Attachment, ...]] = {}
        self._task: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    async def read(self, key: str) -> str:
        """Return the text kept for `key`."""
        return await asyncio.to_thread(self._drafts.read, key)

    def keep(self, key: str, text: str) -> None:
        """Write `text` soon; a newer text for the same key replaces it before it is written."""
        self._pending[key] = text
        self._soon()

    async def read_attachments(self, key: str) -> tuple[Attachment, ...]:
        """Return what is kept as attached to the draft for `key`."""
        return await asyncio.to_thread(self._drafts.read_attachments, key)

    def keep_attachments(self, key: str, attachments: tuple[Attachment, ...]) -> None:
        """Write what is attached to the draft for `key`, as `keep` does its text."""
        self._attached[key] = attachments
        self._soon()

    def _soon(self) -> None:
        if self._task is None or self._task.done():
            self._hurried.clear()
            self._task = asyncio.create_task(self._later())

    async def flush(self) -> None:
        """Write what is still waiting, now, after what is being written: a thread cannot be called back."""
        self._hurried.set()
        if self._task is not None:
            await self._task

    async def _later(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurried.wait(), AFTER_S)
        await self._write()

    async def _write(self) -> None:
        while self._attached or self._pending:
            try:
                if self._attached:
                    await asyncio.to_thread(self._drafts.write_attachments, *self._attached.popitem())
                else:
                    await asyncio.to_thread(self._drafts.write, *self._pending.popitem())
            except StoreError as error:
                log.warning("draft not kept: %s", error)
