"""What a person does with the sessions that are kept, whichever is on the screen; all of it in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.chat.export.document import Form, to_document
from tui_chat.store.documents import read_document, write_document
from tui_chat.store.pictures import look_for
from tui_chat.store.sessions import SessionStore
from tui_chat.store.trash import Trashed
from tui_chat.store.upgrades import lift

if TYPE_CHECKING:
    from tui_chat.chat.model import Session
    from tui_chat.store.pictures import Pictures
    from tui_chat.store.search.hits import Hit
    from tui_chat.store.search.index import SearchIndex


class _LeftError(Exception):
    """Nobody waits any more for the index to be brought up to date."""


class Collection:
    """The sessions in one folder; the index for finding messages is kept in the folder `cache`.

    What changes a session raises `StoreError` when the disk refuses; finding never fails.
    """

    def __init__(self, store: SessionStore, cache: Path) -> None:
        self._store = store
        self._cache = cache

    # Finding

    @cached_property
    def _index(self) -> SearchIndex:
        from tui_chat.store.search.index import SearchIndex

        return SearchIndex(self._store.folder, self._cache)

    async def find(self, question: str, limit: int) -> tuple[Hit, ...]:
        """Return the newest messages that are asked for, in whatever session and on whatever branch."""
        return await asyncio.to_thread(self._index.find, question, limit)

    async def glance(self, question: str, limit: int) -> tuple[Hit, ...]:
        """Return what `find` would of the sessions that are indexed already."""
        return await asyncio.to_thread(self._index.glance, question, limit)

    async def catch_up(self, tell: Callable[[int, int], None]) -> None:
        """Index what changed, telling how many sessions of how many are read; cancelling it loses nothing."""
        loop, left = asyncio.get_running_loop(), threading.Event()

        def progress(done: int, total: int) -> None:
            if left.is_set():
                raise _LeftError
            loop.call_soon_threadsafe(tell, done, total)

        def refresh() -> None:
            with suppress(_LeftError):
                self._index.refresh(progress)

        try:
            await asyncio.to_thread(refresh)
        except asyncio.CancelledError:
            left.set()
            raise

    async def read(self, id: str) -> Session:
        """Return a session as it is now, without opening it. Raises `StoreError` if it cannot be read."""
        return await asyncio.to_thread(self._store.read, id)

    # Sorting

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

    async def purge(self, names: Iterable[str]) -> None:
        """Delete sessions of the trash for good."""
        await asyncio.to_thread(self._store.purge, *names)

    # Carrying

    async def export(
        self,
        session: Session,
        path: Path,
        form: Form,
        *,
        whole: bool,
        pictures: Pictures | None = None,
        overwrite: bool = False,
    ) -> int:
        """Write a session as a document to `path`; return its bytes.

        Its `pictures` are with all others, unless it is kept nowhere.

        Raises:
            FileExistsError: There is something at `path`, and it is not to be overwritten.
            StoreError: It cannot be written.
        """

        def write() -> int:
            look = look_for(pictures or self._store.pictures)
            return write_document(
                path, to_document(session, form, whole=whole, look=look), overwrite=overwrite
            )

        return await asyncio.to_thread(write)

    async def write_out(self, text: str, path: Path, *, overwrite: bool = False) -> int:
        """Write a text of a conversation to `path`; return its bytes. Raises as `export` does."""
        return await asyncio.to_thread(write_document, path, text, overwrite=overwrite)

    async def take(self, path: Path, tell: Callable[[int, int], None]) -> tuple[str, ...]:
        """Add the sessions in a file, all of which is read before any is added; return their ids.

        Tells meanwhile how many of how many are added.

        Raises:
            ImportFailedError: It holds something else.
            StoreError: It cannot be read, or the sessions cannot be saved.
        """
        loop = asyncio.get_running_loop()

        def read() -> tuple[str, ...]:
            from tui_chat.chat.importing.read import LARGEST, read_sessions

            data = read_document(path, LARGEST)
            found = read_sessions(data, str(path), datetime.now(UTC), lift)
            for number, session in enumerate(found):
                loop.call_soon_threadsafe(tell, number, len(found))
                self._store.create(session).close()
            return tuple(session.id for session in found)

        return await asyncio.to_thread(read)
