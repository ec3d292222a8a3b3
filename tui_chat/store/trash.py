"""Deleted sessions: since when they are in the trash, when they go for good, and their going."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from tui_chat.store.files import is_name, stamp
from tui_chat.store.listing import SessionSummary
from tui_chat.store.locks import FileLock
from tui_chat.store.places import Places

_LOOKED = ".looked-through"
"""An empty file in the trash; its time is when the trash was last looked through for what may go."""
_EVERY = timedelta(days=1)


class Trashed(msgspec.Struct, frozen=True):
    """One session in the trash. `goes` is None if it stays until somebody empties the trash."""

    summary: SessionSummary
    deleted: datetime
    goes: datetime | None


def trashed(trash: Path, summaries: list[SessionSummary], days: int) -> tuple[Trashed, ...]:
    """Say of each of `summaries` when it was deleted, and when it goes; the last deleted first."""
    found = []
    for summary in summaries:
        with suppress(FileNotFoundError):
            deleted = _deleted((trash / f"{summary.id}.json").lstat())
            found.append(Trashed(summary, deleted, deleted + timedelta(days=days) if days > 0 else None))
    return tuple(sorted(found, key=lambda each: each.deleted, reverse=True))


def mark_deleted(file: Path) -> None:
    """Make now the time at which `file` was deleted; it is moved next.

    Raises:
        OSError: The system refused.
    """
    os.utime(file, follow_symlinks=False)


def purge_if_due(trash: Path, days: int, now: datetime | None = None) -> None:
    """Delete for good what has been in the trash for `days` days, once a day at most; 0 days: nothing ever.

    What cannot be deleted stays for the next time.
    """
    moment = now or datetime.now(UTC)
    mark = trash / _LOOKED
    if days <= 0:
        return
    with suppress(OSError):
        last = stamp(mark)
        if last is not None and abs(moment.timestamp() - last.mtime_ns / 1e9) < _EVERY.total_seconds():
            return
        if not trash.is_dir():
            return
        mark.touch(mode=0o600)
        os.utime(mark, (moment.timestamp(),) * 2)
        _purge(trash, moment - timedelta(days=days))


def delete_for_good(trash: Path, id: str) -> bool:
    """Delete a session that is in the trash; False if somebody is just taking it out.

    Raises:
        OSError: The system refused.
    """
    return _delete(Places(trash, id))


def _purge(trash: Path, before: datetime) -> None:
    for path in trash.glob("*.json"):
        with suppress(OSError):
            if is_name(path.stem):
                _delete(Places(trash, path.stem), before)


def _delete(places: Places, before: datetime | None = None) -> bool:
    """Delete a session for good, if it was deleted `before`; False if somebody is just taking it out."""
    lock = FileLock(places.lock)
    try:
        if not lock.acquire(patience_s=0):
            return False
        if before is None or _deleted(places.file.lstat()) < before:
            for journal in places.journals():
                journal.unlink(missing_ok=True)
            places.file.unlink(missing_ok=True)
        return True
    finally:
        lock.release()


def _deleted(info: os.stat_result) -> datetime:
    """When it was moved, as far as the file system tells; older releases left the time of its last change."""
    return datetime.fromtimestamp(max(info.st_mtime, info.st_ctime), UTC)
