"""What a person does with the sessions that are kept, whichever is on the screen; all of it in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tui_chat.store.sessions import SessionStore
from tui_chat.store.trash import Trashed


class Collection:
    """The sessions in one folder, to be sorted. Every method raises `StoreError` when the disk refuses."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def rename(self, id: str, title: str) -> None:
        """Give a session that is not open a title."""
        await asyncio.to_thread(self._store.rename, id, title)

    async def tag(self, id: str, tags: Iterable[str]) -> None:
        """Give a session that is not open these tags instead of those it has."""
        await asyncio.to_thread(self._store.tag, id, tags)

    async def archive(self, id: str) -> None:
        """Take a session out of the list."""
        await asyncio.to_thread(self._store.archive, id)

    async def unarchive(self, id: str) -> None:
        """Undo `archive`."""
        await asyncio.to_thread(self._store.unarchive, id)

    async def delete(self, id: str) -> str:
        """Move a session to the trash; return its name there."""
        return await asyncio.to_thread(self._store.delete, id)

    async def trashed(self) -> tuple[Trashed, ...]:
        """Return what is in the trash, the last deleted first."""
        return await asyncio.to_thread(self._store.trashed)

    async def restore(self, name: str) -> str:
        """Move a session out of the trash; return its id, a new one if the old is taken meanwhile."""
        return await asyncio.to_thread(self._store.restore, name)
