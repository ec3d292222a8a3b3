"""Search over all sessions of a folder: by the index where there is one, by reading where there is none."""

from __future__ import annotations

import fcntl
import hashlib
import heapq
import itertools
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from tui_chat.store.files import Stamp, is_name, make_folder
from tui_chat.store.search.database import Database, Row
from tui_chat.store.search.hits import Hit
from tui_chat.store.search.query import Query, Word, parse
from tui_chat.store.search.texts import message_hit, read_searchable, scan
from tui_chat.store.upgrades import UPGRADERS, Upgrader

log = logging.getLogger(__name__)

_BATCH = 32
"""Files that are indexed before others may write, and before a killed process would have to begin again."""
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
"""Errors that a new index may not have; others are of the disk, or of somebody else who writes."""

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told while files are indexed: how many are done, of how many."""


class SearchIndex:
    """Finds messages in the sessions of one folder. Every method may block; threads may share it.

    The index is derived: it is brought up to date by each search, made anew when it is damaged or of
    another release, and can be deleted at any time. What it does not have is found by reading the files.
    """

    def __init__(self, sessions: Path, cache: Path, upgraders: Sequence[Upgrader] = UPGRADERS) -> None:
        self._sessions = sessions
        self._upgraders = upgraders
        name = hashlib.sha256(os.fsencode(sessions.absolute())).hexdigest()[:16]
        self._file = cache / "search" / f"{name}.sqlite3"

    def find(self, question: str, limit: int = 50, progress: Progress | None = None) -> tuple[Hit, ...]:
        """Return the newest `limit` messages (and sessions) that are asked for, newest first.

        All words of `question` must occur, as they are or inside others, in a message or in the title and
        tags of its session. ``"Quotes"`` hold a phrase together; ``tag:x``, ``model:y`` and ``in:archived``
        limit what is looked at. Finds nothing for an empty question, and never fails.
        """
        query = parse(question)
        if not query or limit < 1:
            return ()
        try:
            found, unread = self._use(lambda database: self._search(database, query, limit, progress))
        except (OSError, sqlite3.Error) as error:
            log.warning("searching without an index: %s", error)
            found, unread = [], set(self._stamps())
        files = (read_searchable(self._sessions / f"{name}.json", self._upgraders) for name in unread)
        everything = itertools.chain(found, scan(files, query))
        return tuple(
            heapq.nlargest(limit, everything, key=lambda hit: (hit.when, hit.session, hit.message or ""))
        )

    def glance(self, question: str, limit: int = 50) -> tuple[Hit, ...]:
        """Return what `find` would of what is in the index now, which may be old or not all. Never fails."""
        query = parse(question)
        if not query or limit < 1:
            return ()
        try:
            return tuple(self._use(lambda database: _find(database, query, limit, set())))[:limit]
        except (OSError, sqlite3.Error) as error:
            log.warning("the index of sessions cannot be read: %s", error)
            return ()

    def refresh(self, progress: Progress | None = None) -> None:
        """Bring the index up to date, so that the next search need not. Never fails."""
        try:
            self._use(lambda database: self._catch_up(database, progress))
        except (OSError, sqlite3.Error) as error:
            log.warning("the index of sessions cannot be kept: %s", error)

    def _search(
        self, database: Database, query: Query, limit: int, progress: Progress | None
    ) -> tuple[list[Hit], set[str]]:
        behind = self._catch_up(database, progress)
        return _find(database, query, limit, behind), behind

    def _catch_up(self, database: Database, progress: Progress | None) -> set[str]:
        """Index what changed; return the names of those that are not, because somebody else writes."""
        now, known = self._stamps(), database.stamps()
        changed = [name for name in {**now, **known} if now.get(name) != known.get(name)]
        for start in range(0, len(changed), _BATCH):
            try:
                database.begin()
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY:
                    raise
                return set(changed[start:])
            known = database.stamps()  # another terminal may have been quicker
            for name in changed[start : start + _BATCH]:
                if name not in now:
                    database.forget(name)
                elif known.get(name) != now[name]:
                    session = read_searchable(self._sessions / f"{name}.json", self._upgraders)
                    database.put(session._replace(stamp=session.stamp or now[name]))
            database.commit()
            if progress is not None:
                progress(min(start + _BATCH, len(changed)), len(changed))
        return set()

    def _stamps(self) -> dict[str, Stamp]:
        """Return the sessions that there are, each with the version of its file."""
        found = {}
        with suppress(FileNotFoundError), os.scandir(self._sessions) as entries:
            for entry in entries:
                name, dot, suffix = entry.name.partition(".")
                if (dot, suffix) == (".", "json") and is_name(name):
                    with suppress(FileNotFoundError):
                        found[name] = Stamp.of(entry.stat(follow_symlinks=False))
        return found

    def _use(self, work: Callable[[Database], T]) -> T:
        """Do `work` with the index; with a new one if this one is broken.

        Raises:
            OSError, sqlite3.Error: There can be no index.
        """
        make_folder(self._file.parent)
        try:
            return self._use_once(work)
        except (sqlite3.DatabaseError, ValueError) as error:
            if not _is_broken(error):
                raise
            log.warning("the index of sessions is made anew: %s", error)
            self._discard()
            return self._use_once(work)

    def _use_once(self, work: Callable[[Database], T]) -> T:
        with self._lock(fcntl.LOCK_SH), closing(Database(self._file)) as database:
            return work(database)

    def _discard(self) -> None:
        """Delete the index, which nobody may have open then: SQLite would mix up old and new."""
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            for ending in ("", "-wal", "-shm", "-journal"):
                self._file.with_name(self._file.name + ending).unlink(missing_ok=True)

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        fd = os.open(
            self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(fd, how)
            yield
        finally:
            os.close(fd)


def _code(error: Exception) -> int | None:
    """Return SQLite's number of an error, without its details; None if it is not of SQLite itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_broken(error: Exception) -> bool:
    """Whether a new index would help: not against a full disk, nor against somebody else who writes."""
    return (code := _code(error)) is None or code in _BROKEN


def _find(database: Database, query: Query, limit: int, behind: set[str]) -> list[Hit]:
    rows: dict[int, Row] = {}
    themselves: list[Row] = []
    groups: dict[tuple[Word, ...], list[int]] = {}
    for row in database.sessions():
        if row.name not in behind and query.admits(row.tags, archived=row.archived):
            rows[row.key] = row
            itself, words = query.sought_in(row.title, row.tags)
            themselves += [row] if itself else []
            if words is not None:
                groups.setdefault(words, []).append(row.key)
    streams = (database.messages(words, query, among) for words, among in groups.items())
    found = itertools.islice(heapq.merge(*streams, key=lambda each: -each.key), limit)
    return [
        *(
            msgspec.structs.replace(_hit(row), snippet=row.begins)
            for row in heapq.nlargest(limit, themselves, key=lambda row: row.updated)
        ),
        *(message_hit(_hit(rows[each.session]), each.text, query) for each in found),
    ]


def _hit(row: Row) -> Hit:
    return Hit(session=row.name, title=row.title, when=row.updated, archived=row.archived)
