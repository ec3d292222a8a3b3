"""The folder of sessions: list, create, read, open, rename, tag, archive, delete and restore."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from tui_chat.chat.model import Problem, ProblemCode, Session
from tui_chat.chat.tags import tidy_tags
from tui_chat.store import notices
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import Stamp, is_name, make_folder, move_aside, stamp
from tui_chat.store.listing import SessionSummary, summarise
from tui_chat.store.locks import FileLock
from tui_chat.store.open_session import OpenSession
from tui_chat.store.pictures import PictureFolder
from tui_chat.store.places import Places
from tui_chat.store.reading import read_session
from tui_chat.store.trash import Trashed, delete_for_good, mark_deleted, purge_if_due, trashed
from tui_chat.store.upgrades import UPGRADERS, Upgrader

__all__ = ["OpenSession", "SessionStore", "SessionSummary"]


class SessionStore:
    """Every session in one folder, which is made when the first one is. All methods may block.

    What was deleted, sessions and branches of sessions, goes for good after `trash_days`; 0: never. Pictures
    go when neither session nor draft mentions them; where nobody says in which folder `drafts` are, all stay.
    """

    def __init__(
        self,
        folder: Path,
        upgraders: Sequence[Upgrader] = UPGRADERS,
        *,
        trash_days: int = 0,
        drafts: Path | None = None,
    ) -> None:
        self.folder = folder
        self.trash_days = trash_days
        self.pictures = PictureFolder(folder / "pictures")
        self._drafts = drafts
        self._upgraders = upgraders
        self._known: dict[str, tuple[SessionSummary, Stamp]] = {}

    @property
    def trash(self) -> SessionStore:
        """The deleted sessions, as a store of their own."""
        return SessionStore(self.folder / "trash", self._upgraders)

    def list(self, archived: bool | None = False) -> list[SessionSummary]:
        """Return the sessions, newest first: those in use, the archived ones, or (None) both.

        Files with a problem are in every list. Names that cannot be a session's are left out.
        A folder that is not there has no sessions. What has been in the trash for long goes first.
        """
        purge_if_due(self.folder / "trash", self.trash_days)
        if self._drafts is not None:
            self.pictures.sweep_if_due(self._mentioning(self._drafts))
        found: dict[str, tuple[SessionSummary, Stamp]] = {}
        for name in self._names():
            path = self.folder / f"{name}.json"
            known = self._known.get(name)
            try:
                found[name] = known if known and known[1] == stamp(path) else summarise(path, self._upgraders)
            except FileNotFoundError:
                continue
        self._known = found
        summaries = [
            summary
            for summary, _ in found.values()
            if archived is None or summary.problem or summary.archived is archived
        ]
        return sorted(summaries, key=lambda summary: (summary.updated, summary.id), reverse=True)

    def is_empty(self) -> bool:
        """Tell whether there is no session, without reading any."""
        return next(iter(self._names()), None) is None

    def trashed(self) -> tuple[Trashed, ...]:
        """Return the deleted sessions, the last deleted first, each with when it goes for good."""
        return trashed(self.folder / "trash", self.trash.list(archived=None), self.trash_days)

    def create(self, session: Session) -> OpenSession:
        """Write a new session and keep it open.

        Raises:
            StoreError: It cannot be written, or the name is taken.
        """
        places = Places(self.folder, session.id)
        try:
            make_folder(self.folder)
        except OSError as error:
            raise StoreError(_failed("making the folder for sessions", places.file, error)) from error
        opened = self._opening(places)
        opened.start(session)
        return opened

    def open(self, id: str) -> OpenSession:
        """Open a session, for writing if nobody else has it; damage is put in quarantine and noted.

        Raises:
            StoreError: There is no such session, it is damaged beyond use, or too new.
        """
        opened = self._opening(Places(self.folder, id))
        opened.start(None)
        return opened

    def read(self, id: str) -> Session:
        """Return a session as it is now, without opening it: nothing is locked, mended or written.

        Raises:
            StoreError: There is no such session, it cannot be read, is damaged, or too new.
        """
        return read_session(Places(self.folder, id), self._upgraders)

    def rename(self, id: str, title: str) -> None:
        """Give a session that is not open a title of the user's.

        Raises:
            StoreError: It is open elsewhere (`SESSION_LOCKED`), or cannot be read or saved.
        """
        self._change(id, title=title, titled_by_user=True)

    def tag(self, id: str, tags: Iterable[str]) -> tuple[str, ...]:
        """Give a session that is not open these tags instead of those it has; return them as they are kept.

        Raises:
            StoreError: It is open elsewhere (`SESSION_LOCKED`), or cannot be read or saved.
        """
        tidy = tidy_tags(tags)
        self._change(id, tags=tidy)
        return tidy

    def archive(self, id: str) -> None:
        """Take a session that is not open out of the list; `unarchive` is the undo.

        Raises:
            StoreError: It is open elsewhere (`SESSION_LOCKED`), or cannot be read or saved.
        """
        self._change(id, archived=True)

    def unarchive(self, id: str) -> None:
        """Put an archived session back into the list.

        Raises:
            StoreError: It is open elsewhere (`SESSION_LOCKED`), or cannot be read or saved.
        """
        self._change(id, archived=False)

    def delete(self, id: str) -> str:
        """Move a session that is not open, and its journals, to the trash; return its name there.

        Raises:
            StoreError: It is open elsewhere (`SESSION_LOCKED`), missing, or cannot be moved.
        """
        places = Places(self.folder, id)
        return self._move(places, places.trash)

    def restore(self, id: str) -> str:
        """Move a session out of the trash; return its id, a new one if the old is taken meanwhile.

        Raises:
            StoreError: It is not in the trash, or cannot be moved.
        """
        return self._move(Places(self.folder / "trash", id), self.folder)

    def purge(self, *ids: str) -> None:
        """Delete sessions of the trash for good, with the pictures that were theirs alone.

        Raises:
            StoreError: One is not in the trash, or cannot be deleted; those before it are gone.
        """
        try:
            for each in ids:
                self._purge(Places(self.folder / "trash", each))
        finally:
            if self._drafts is not None:
                with suppress(OSError):  # they go with the next ones
                    self.pictures.sweep(self._mentioning(self._drafts))

    def _purge(self, places: Places) -> None:
        if stamp(places.file) is None:
            raise StoreError(notices.missing(places.file))
        try:
            gone = delete_for_good(places.folder, places.id)
        except OSError as error:
            raise StoreError(_failed("deleting the session", places.file, error)) from error
        if not gone:
            raise StoreError(notices.locked(places.id, None))

    def _mentioning(self, drafts: Path) -> tuple[Path, ...]:
        """The folders of all that may mention a picture."""
        return self.folder, self.folder / "trash", self.folder / "quarantine", drafts

    def _opening(self, places: Places) -> OpenSession:
        kept = timedelta(days=self.trash_days) if self.trash_days > 0 else None
        return OpenSession(places, self._upgraders, kept)

    def _names(self) -> Iterator[str]:
        try:
            paths = tuple(self.folder.iterdir())
        except OSError:
            return
        yield from (path.stem for path in paths if path.suffix == ".json" and is_name(path.stem))

    def _change(self, id: str, **fields: Any) -> None:
        with self.open(id) as opened:
            if not opened.writable:
                raise StoreError(notices.locked(id, opened.holder))
            opened.save(msgspec.structs.replace(opened.session, **fields))

    def _move(self, places: Places, target: Path) -> str:
        lock = FileLock(places.lock)
        try:
            if not lock.acquire():
                raise StoreError(notices.locked(places.id, lock.holder()))
            if stamp(places.file) is None:
                raise StoreError(notices.missing(places.file))
            mark_deleted(places.file)
            moved = move_aside(places.file, target, places.id, ".json").stem
            for journal in places.journals():
                move_aside(journal, target, f"{moved}.{places.answer_of(journal)}", ".journal")
        except FileNotFoundError as error:
            raise StoreError(notices.missing(places.file)) from error
        except OSError as error:
            raise StoreError(_failed("moving the session", places.file, error)) from error
        finally:
            lock.release()
        return moved


def _failed(doing: str, path: Path, error: OSError) -> Problem:
    return disk_problem(ProblemCode.SAVE_FAILED, doing, path, error, kept="Nothing was changed.")
