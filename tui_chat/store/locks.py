"""One holder of a thing at a time, across processes and within one: a lock that dies with its holder.

This is `flock` directly and not the filelock package: importing that costs 20 to 40 ms of the
time to first paint and installs fork hooks in the whole process, while removing the file and
naming the holder, which are the larger part, would still be ours to write.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tui_chat.store.files import is_alive, read_regular, write_whole

_UNSUPPORTED = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock, from when on, and on which machine."""

    pid: int
    since: datetime
    host: str


class FileLock:
    """The right to something (to write a session, to be the engine): a file that exists while it is held."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self, patience_s: float = 0.25) -> bool:
        """Take the lock if it is free, and tell whether it is ours now.

        Tries for `patience_s` against a holder that is unknown or dead: somebody is just opening
        or sweeping. On file systems without locks everybody gets it; `OpenSession.save` still notices others.

        Raises:
            OSError: The lock file cannot be made (a read-only folder).
        """
        deadline = time.monotonic() + patience_s
        while self._fd is None:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                taken = _flock(fd) and _is_at(self._path, fd)
                if taken:
                    self._fd = fd
                    self.sign()
            finally:
                if self._fd is None:
                    os.close(fd)
            if not taken:
                if self.holder_lives() or time.monotonic() > deadline:
                    return False
                time.sleep(0.005)
        return True

    def release(self) -> None:
        """Give the lock up and remove its file; does nothing if it is not held."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        try:
            if _is_at(self._path, fd):
                self._path.unlink()
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.EROFS, errno.EACCES, errno.EPERM}:
                raise
        finally:
            os.close(fd)

    def holder(self) -> Holder | None:
        """Return who holds the lock, None if nobody does or nobody can tell."""
        try:
            return msgspec.json.decode(read_regular(self._path)[0], type=Holder)
        except (OSError, msgspec.DecodeError):
            return None

    def ask_holder_to_leave(self) -> bool:
        """Hang up on the terminal that holds the lock; False if it is out of our reach.

        The holder may be stuck writing to a line that is dead; it leaves nevertheless (`ui.terminal`).
        The signature alone is not believed: its number may mean another process by now, or in here.
        """
        holder = self.holder()
        if holder is None or holder.host != os.uname().nodename or holder.pid == os.getpid():
            return False
        if not _has_open(holder.pid, self._path):
            return False
        try:
            os.kill(holder.pid, signal.SIGHUP)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def sign(self) -> None:
        """Write into the held lock who we are; a child that goes on with its parent's lock does it again."""
        assert self._fd is not None, "the lock is not held"
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        holder = Holder(os.getpid(), datetime.now(UTC), os.uname().nodename)
        with suppress(OSError):  # a full disk must not make the session read-only
            write_whole(self._fd, msgspec.json.encode(holder))

    def holder_lives(self) -> bool:
        """Tell whether whoever signed the lock file runs; assumed of another machine's processes."""
        holder = self.holder()
        return holder is not None and (holder.host != os.uname().nodename or is_alive(holder.pid))


def sweep_locks(folder: Path) -> None:
    """Remove the lock files in `folder` that killed processes left behind."""
    for path in folder.glob("*.lock"):
        lock = FileLock(path)
        if not lock.holder_lives() and lock.acquire(patience_s=0):
            lock.release()


def _flock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    return True


def _is_at(path: Path, fd: int) -> bool:
    """Tell whether `path` still names the open file, which a releasing holder may have unlinked."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(fd))
    except FileNotFoundError:
        return False


def _has_open(pid: int, path: Path) -> bool:
    """Tell whether process `pid` has `path` open; believed of it where there is no /proc to ask."""
    if not Path("/proc/self/fd").is_dir():
        return True
    for handle in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):  # closed meanwhile, or another user's
            if os.path.samestat(handle.stat(), path.stat()):
                return True
    return False
