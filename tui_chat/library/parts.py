"""Files on their way here: locked against other terminals, measured, proven, and only then given a name."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tui_chat.library.progress import FetchError, Progress
from tui_chat.wire.words import size

CHECKING = "Checking"
_CHUNK = 1 << 20


@contextmanager
def only_one(part: Path, what: str) -> Iterator[BinaryIO]:
    """Open `part` for reading and writing, locked against other terminals that fetch `what` too.

    Raises:
        FetchError: Another terminal has it.
    """
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FetchError(f"Another terminal is fetching {what} already.") from error
        try:
            yield file
        finally:
            if not os.fstat(file.fileno()).st_size:
                part.unlink(missing_ok=True)


def check_space(folder: Path, needed: int) -> None:
    """Make sure that `needed` bytes have room in `folder`. Raises FetchError."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise FetchError(f"The disk of {folder} has {size(free)} free, and {size(needed)} are needed.")


def size_of(file: Path) -> int:
    """The size of a file in bytes, 0 if there is none."""
    return file.stat().st_size if file.is_file() else 0


def is_whole(target: Path, size: int, sha256: str, progress: Progress) -> bool:
    """Whether `target` is there and is the file that is wanted, to the last byte."""
    if not target.is_file() or target.stat().st_size != size:
        return False
    with target.open("rb") as file:
        return hash_of(file, size, progress) == sha256


def hash_of(file: BinaryIO, size: int, progress: Progress) -> str:
    """The SHA-256 of an open file of `size` bytes, from its beginning."""
    digest, done = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        done += len(chunk)
        progress.tell(done, size, CHECKING)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
