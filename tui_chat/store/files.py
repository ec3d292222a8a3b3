"""Files that are whole or absent: atomic replacement, reading without following links, moving aside."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_TEMPORARY = re.compile(r"\..+\.(?P<pid>[0-9]+)-[0-9a-f]{8}\.tmp")


class Stamp(NamedTuple):
    """What tells one version of a file from the next without reading it."""

    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, info: os.stat_result) -> Stamp:
        """Take the stamp of a file's status."""
        return cls(info.st_ino, info.st_size, info.st_mtime_ns)


def is_name(text: str) -> bool:
    """Tell whether `text` may be part of a file name of ours: ``[a-z0-9][a-z0-9-]{0,63}``."""
    return _NAME.fullmatch(text) is not None


def stamp(path: Path) -> Stamp | None:
    """Return the stamp of the file at `path`, None if there is none."""
    try:
        return Stamp.of(path.lstat())
    except FileNotFoundError:
        return None


def read_regular(path: Path) -> tuple[bytes, Stamp]:
    """Read a whole regular file; never follows a link and never waits on a pipe.

    Raises:
        OSError: There is none, it is a link or no regular file, or it cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb", buffering=0) as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.readall(), Stamp.of(info)


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents; what is created belongs to the user alone (mode 0700).

    Raises:
        OSError: It cannot be created.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_whole(fd: int, data: bytes) -> None:
    """Write all of `data`, however many calls it takes.

    Raises:
        OSError: The disk refused; part of the data may have been written.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data` so that a crash at any moment leaves the old file or the new one.

    Raises:
        OSError: Nothing was replaced, or, at the very last step, the folder could not be synced.
    """
    replace_file(path, (data,), mode)
    sync_folder(path.parent)


def replace_file(path: Path, parts: Iterable[bytes], mode: int = 0o600) -> Stamp:
    """Replace `path` by `parts`, which are on disk before they get the name; `sync_folder` is left to do.

    The new file has that `mode`. Returns its stamp.

    Raises:
        OSError: Nothing was replaced.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            if mode != 0o600:
                os.fchmod(fd, mode)
            for part in parts:
                write_whole(fd, part)
            os.fsync(fd)
            written = Stamp.of(os.fstat(fd))
        finally:
            os.close(fd)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return written


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut.

    Raises:
        OSError: The disk refused. File systems that cannot do it at all are left in peace.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(fd)


def move_aside(path: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Move `path` into `folder` as ``stem + suffix``, or with a number if that is taken.

    Nothing is ever overwritten: the name is claimed by creating it before the move.

    Raises:
        OSError: The move failed and `path` is where it was.
    """
    make_folder(folder)
    claimed = _claim(folder, stem, suffix)
    try:
        path.replace(claimed)
    except OSError:
        claimed.unlink()
        raise
    sync_folder(folder)
    sync_folder(path.parent)
    return claimed


def _claim(folder: Path, stem: str, suffix: str) -> Path:
    count = 1
    while True:
        candidate = folder / (f"{stem}{suffix}" if count == 1 else f"{stem}-{count}{suffix}")
        try:
            os.close(os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        except FileExistsError:
            count += 1
        else:
            return candidate


def sweep_temporaries(folder: Path) -> None:
    """Delete temporary files in `folder` whose writers died before the rename."""
    for path in folder.iterdir():
        found = _TEMPORARY.fullmatch(path.name)
        if found and not is_alive(int(found["pid"])):
            path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Tell whether a process with this id runs on this machine.

    One that has ended and only waits for its parent to notice (a zombie) does not: an engine's parent is
    process 1, and in a container that may be a program that looks after others late or never.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # no such folder on this system, or hidden from us
        return True
    return status.rpartition(b") ")[2][:1] not in {b"Z", b"X"}
