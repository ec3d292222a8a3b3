"""One engine per user and machine: the private folder, the lock that proves it, and the socket."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.store.locks import FileLock
from tui_chat.wire.paths import lock_path


class InstanceError(Exception):
    """The engine cannot run here; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class Instance:
    """The right to be this user's engine, held until `release` or the death of the process."""

    def __init__(self, lock: FileLock, listener: socket.socket, socket_path: Path) -> None:
        self._lock = lock
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
        ensure_private(socket_path.parent)
        lock = FileLock(lock_path(socket_path))
        if not lock.acquire():
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
        return cls(lock, listener, socket_path)

    def sign(self) -> None:
        """Put our process id into the lock: after detaching we are not the process that took it."""
        self._lock.sign()

    def release(self) -> None:
        """Leave nothing behind."""
        self._socket_path.unlink(missing_ok=True)
        self.listener.close()
        self._lock.release()


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
