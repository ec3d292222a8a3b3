"""One engine per user and machine: the private folder, the lock that proves it, and the socket."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from pathlib import Path

from tui_chat.chat.model import Problem, ProblemCode


class InstanceError(Exception):
    """The engine cannot run here; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class Instance:
    """The right to be this user's engine, held until `release` or the death of the process."""

    def __init__(self, lock: int, lock_path: Path, listener: socket.socket, socket_path: Path) -> None:
        self._lock = lock
        self._lock_path = lock_path
        self._socket_path = socket_path
        self.listener = listener

    @classmethod
    def claim(cls, socket_path: Path) -> Instance | None:
        """Become the engine behind `socket_path`, replacing what a dead one left there.

        Returns:
            The claim, or None when a living engine holds it.

        Raises:
            InstanceError: The folder is not ours alone, or the socket cannot be made.
        """
        folder = socket_path.parent
        ensure_private(folder)
        lock_path = folder / "engine.lock"
        lock = _lock(lock_path)
        if lock is None:
            return None
        # We hold the lock, so whoever made a socket that is still here is dead.
        socket_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(str(socket_path))
        except OSError as error:
            what = f"The engine's socket {socket_path} cannot be made: {error.strerror or error}."
            remedy = "Set paths.runtime in the config to a short path on a local disk."
            raise InstanceError(Problem(ProblemCode.ENGINE_UNREACHABLE, what, remedy=remedy)) from error
        finally:
            os.umask(before)
        listener.listen(128)
        return cls(lock, lock_path, listener, socket_path)

    def record_pid(self) -> None:
        """Write our process id into the lock file, for people and for `engine stop --force`."""
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Leave nothing behind."""
        self._socket_path.unlink(missing_ok=True)
        self.listener.close()
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)


def ensure_private(folder: Path) -> None:
    """Make `folder` with mode 0700, or make sure that it is ours and nobody else can enter.

    Raises:
        InstanceError: It belongs to somebody else, is a link, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise PermissionError(f"it is not a folder of user {os.getuid()}")
        if stat.S_IMODE(status.st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        what = f"The folder {folder} for the engine's socket cannot be used: {error.strerror or error}."
        remedy = "Set paths.runtime in the config, or XDG_RUNTIME_DIR, to a folder of your own."
        raise InstanceError(Problem(ProblemCode.ENGINE_UNREACHABLE, what, remedy=remedy)) from error


def _lock(path: Path) -> int | None:
    """Lock `path` exclusively; None when somebody else has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        # A leaving engine unlinks the file while we wait for it: then we hold the lock of a ghost.
        try:
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)
