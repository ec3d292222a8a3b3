"""One open session: its content, the right to write it, and the answers still on their way."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tui_chat.chat.model import FinishReason, Message, Problem, ProblemCode, Session
from tui_chat.chat.purge import purged
from tui_chat.store import codec, notices
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import (
    Stamp,
    move_aside,
    replace_file,
    stamp,
    sweep_temporaries,
    sync_folder,
)
from tui_chat.store.journal import JournalState
from tui_chat.store.locks import FileLock, Holder, sweep_locks
from tui_chat.store.places import Places
from tui_chat.store.reading import read_file
from tui_chat.store.recovery import Recovery, recover, recover_one
from tui_chat.store.salvage import salvage
from tui_chat.store.upgrades import Upgrader

_KEPT = "The file on disk is as it was, and the conversation stays in this window."


class OpenSession:
    """A session file and the lock on it. Every method may block on the disk; threads may share it.

    Without the lock it follows: it reads what the holder saves and refuses to write.
    Made by `SessionStore.open` and `SessionStore.create` only.

    Attributes:
        session: The content as it was last read or saved, settled journals folded in, and, if it can be
            written, without what was removed long ago; that is gone from the file with the next save.
        notices: What was found and done while opening: damage, quarantine, recovered answers.
        unsettled: Answers in flight, with what their journals hold so far. Whoever knows that one is
            no longer being generated ends it with `settle`.
    """

    session: Session

    def __init__(
        self, places: Places, upgraders: Sequence[Upgrader], keep_removed: timedelta | None = None
    ) -> None:
        self.notices: tuple[Problem, ...] = ()
        self.unsettled: tuple[JournalState, ...] = ()
        self._places = places
        self._upgraders = upgraders
        self._keep_removed = keep_removed
        self._lock = FileLock(places.lock)
        self._stamp: Stamp | None = None
        self._conflict: Path | None = None
        self._mutex = threading.RLock()
        self._encoder = codec.Encoder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def id(self) -> str:
        """The session's id, which is its file's name."""
        return self._places.id

    @property
    def writable(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock.held

    @property
    def holder(self) -> Holder | None:
        """Who holds the lock if we do not; None if nobody does."""
        return None if self.writable else self._lock.holder()

    def journal_path(self, answer_id: str) -> Path:
        """Return where the engine is to keep the journal of the answer `answer_id`.

        Raises:
            ValueError: `answer_id` could not be part of a file name.
        """
        return self._places.journal(answer_id).absolute()

    def save(self, session: Session) -> None:
        """Write `session` to disk, whole or not at all.

        Raises:
            StoreError: It could not be saved; the file is as it was. If somebody else changed the
                file meanwhile, ours is in a file beside it, which the problem names.
        """
        with self._mutex:
            self._check_writable(session)
            data = self._encoded(session)
            if self._stamp is not None and stamp(self._places.file) not in {None, self._stamp}:
                self._save_beside(session)
            try:
                self._stamp = replace_file(self._places.file, data)
                sync_folder(self._places.folder)
            except OSError as error:
                raise StoreError(self._disk_problem("saving the session", error)) from error
            self.session = session

    def reload(self) -> Session | None:
        """Read the file again if it changed since it was last read or saved; None if not.

        Raises:
            StoreError: It cannot be read (any more).
        """
        with self._mutex:
            if stamp(self._places.file) == self._stamp:
                return None
            self._load()
            return self.session

    def try_acquire(self) -> bool:
        """Take the lock if its holder is gone, and read the file again under it.

        Raises:
            StoreError: The file cannot be read (any more).
        """
        with self._mutex:
            if not self.writable:
                self._acquire_or_note()
                if self.writable:
                    self._load()
            return self.writable

    def ask_holder_to_leave(self) -> bool:
        """Have the terminal that holds the session end itself; False if there is none within reach."""
        return not self.writable and self._lock.ask_holder_to_leave()

    def settle(
        self,
        answer_id: str,
        otherwise: FinishReason = FinishReason.ENGINE_DIED,
        seen: Message | None = None,
    ) -> Session:
        """Fold an answer's journal into the session, save that, delete the journal; in this order.

        Args:
            answer_id: The answer.
            otherwise: How it ended if its journal does not say.
            seen: The answer as it came through the stream, if it did; the longer text wins.

        Raises:
            StoreError: The session could not be saved; the journal is still there.
        """
        with self._mutex:
            self._check_writable(self.session)
            session = _with_message(self.session, seen) if seen else self.session
            found = recover_one(session, self._places, answer_id, otherwise)
            if found.session != self.session:
                self.save(found.session)
            self._clear_up(found)
            self.unsettled = tuple(kept for kept in self.unsettled if kept.header.id != answer_id)
            return self.session

    def close(self) -> None:
        """Give the lock back; the object can still be read."""
        with self._mutex:
            self._lock.release()
            self._encoder = codec.Encoder()

    def start(self, session: Session | None) -> None:
        """Take the lock and read the file, or write `session` as a new one. Called once, by the store.

        Raises:
            StoreError: See `SessionStore.open` and `SessionStore.create`.
        """
        try:
            if session is None:
                self._acquire_or_note()
                self._load()
            else:
                self._create(session)
        except BaseException:
            self.close()
            raise

    def _create(self, session: Session) -> None:
        try:
            free = self._acquire() and stamp(self._places.file) is None
        except OSError as error:
            raise StoreError(self._disk_problem("saving the session", error)) from error
        if not free:
            raise StoreError(notices.taken(self.id))
        self.save(session)

    def _acquire_or_note(self) -> None:
        try:
            self._acquire()
        except FileNotFoundError as error:
            raise StoreError(notices.missing(self._places.file)) from error
        except OSError as error:
            self._note(notices.read_only(self._places.folder, error))

    def _acquire(self) -> bool:
        if self._lock.acquire():
            with suppress(OSError):  # tidying up can wait for the next time
                sweep_temporaries(self._places.folder)
                sweep_locks(self._places.folder)
        return self.writable

    def _load(self) -> None:
        data, self._stamp = read_file(self._places.file)
        try:
            self.session = codec.decode(data, self.id, self._upgraders)
        except codec.TooNewError as error:
            raise StoreError(notices.newer(self._places.file, error)) from error
        except codec.DamagedError as error:
            self._rescue(data, error)
        self._take_in_journals()
        if self.writable and self._keep_removed is not None:
            self.session = purged(self.session, datetime.now(UTC) - self._keep_removed)

    def _rescue(self, data: bytes, error: codec.DamagedError) -> None:
        """Put a damaged file in quarantine and go on with what could be read of it."""
        if not self.writable:
            raise StoreError(notices.damaged(self._places.file, error)) from error
        rescued = salvage(data, self.id)
        moved = self._quarantine(self._places.file, ".json")
        self._stamp = None
        if rescued is None:
            for journal in self._places.journals():
                self._quarantine(journal, ".journal")
            raise StoreError(notices.quarantined(self._places.file, moved, error)) from error
        self._note(notices.rescued(self._places.file, moved, len(rescued.messages), error))
        self.session = rescued
        self._save_or_note(rescued)

    def _take_in_journals(self) -> None:
        """Fold what settled while nobody watched; keep in `unsettled` what may still be running."""
        found = recover(self.session, self._places)
        changed, self.session = found.session != self.session, found.session
        self.unsettled = tuple(found.unsettled)
        if changed and self.writable and not self._save_or_note(found.session):
            found.spent.clear()
        self._clear_up(found)

    def _clear_up(self, found: Recovery) -> None:
        """Delete the journals that the saved session contains; set aside and report the others."""
        for path, why in found.strays:
            kept = self._quarantine(path, ".journal") if self.writable else path
            self._note(notices.journal_kept(kept, why))
        for path, why in found.unread:
            self._note(notices.journal_kept(path, why))
        for path in found.spent if self.writable else ():
            with suppress(OSError):  # folding it again at the next open changes nothing
                path.unlink()

    def _quarantine(self, path: Path, suffix: str) -> Path:
        try:
            return move_aside(path, self._places.quarantine, path.name.removesuffix(suffix), suffix)
        except OSError as error:
            raise StoreError(notices.damaged(path, error)) from error

    def _save_or_note(self, session: Session) -> bool:
        try:
            self.save(session)
        except StoreError as error:
            self._note(error.problem)
            return False
        return True

    def _check_writable(self, session: Session) -> None:
        if session.id != self.id:
            raise ValueError(f"session {session.id} does not belong in {self._places.file.name}")
        if not self.writable:
            raise StoreError(notices.locked(self.id, self.holder))

    def _encoded(self, session: Session) -> Iterator[bytes]:
        try:
            return self._encoder.encode(session)
        except codec.DamagedError as error:
            raise StoreError(
                Problem(
                    code=ProblemCode.SAVE_FAILED,
                    what=f"The session could not be saved, because it could not be read back: {error}.",
                    kept=_KEPT,
                    remedy="Copy what you need; this is a fault in tui-chat.",
                )
            ) from error

    def _save_beside(self, session: Session) -> None:
        """Keep our version next to one that somebody wrote without the lock, and say so."""
        if self._conflict is None:
            stem = f"{self.id[:44]}-conflict-{secrets.token_hex(4)}"
            self._conflict = self._places.folder / f"{stem}.json"
        ours = msgspec.structs.replace(
            session, id=self._conflict.stem, title=f"{session.title} (conflict)".strip()
        )
        try:
            replace_file(self._conflict, self._encoded(ours))
            sync_folder(self._conflict.parent)
        except OSError as error:
            raise StoreError(self._disk_problem("saving the session", error)) from error
        raise StoreError(notices.conflict(self._places.file, self._conflict))

    def _disk_problem(self, doing: str, error: OSError) -> Problem:
        return disk_problem(ProblemCode.SAVE_FAILED, doing, self._places.file, error, kept=_KEPT)

    def _note(self, problem: Problem) -> None:
        if problem not in self.notices:
            self.notices = (*self.notices, problem)


def _with_message(session: Session, message: Message) -> Session:
    messages = tuple(message if old.id == message.id else old for old in session.messages)
    return msgspec.structs.replace(session, messages=messages)
