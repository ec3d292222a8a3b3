"""The parks folder: what is in it, what may still go into it, and taking its oldest out."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.memory.parkfile import ParkError, read_park_header
from tui_chat.store.files import make_folder, sweep_temporaries
from tui_chat.store.parks.entries import ParkEntry, Place

SUFFIX = ".park"
FLOOR_BYTES, FLOOR_SHARE = 1 << 30, 0.05
"""The larger of the two is left free on the disk, whatever the cap allows."""
SHARE, LEAST_BYTES, MOST_BYTES = 10, 1 << 30, 32 << 30
_COPY_BYTES = 8 << 20


def parked_in(folder: Path, *, tidy: bool) -> Iterator[ParkEntry]:
    """Yield the usable park files in `folder`.

    Args:
        folder: It need not exist.
        tidy: Delete what is damaged, cut short or of another version, and what killed writers left.
    """
    if not folder.is_dir():
        return
    if tidy:
        with suppress(OSError):
            sweep_temporaries(folder)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            header, status = read_park_header(path), path.stat()
        except ParkError:
            if tidy and path.is_file() and not path.is_symlink():
                with suppress(OSError):
                    path.unlink()
            continue
        except OSError:
            continue
        used = datetime.fromtimestamp(status.st_mtime, UTC)
        yield ParkEntry(path.stem, header, str(path), status.st_size, Place.DISK, used)


def usual_limit(free: int) -> int:
    """Bytes of disk for parks where nobody said how many: of what is `free` without them, a tenth.

    A cache that nobody asked for takes what nobody misses: at most 32 GiB, which is days of
    conversations, and on a small disk at least 1 GiB, unless that would take the floor.
    """
    return min(MOST_BYTES, max(LEAST_BYTES, free // SHARE))


def free_bytes(folder: Path) -> int:
    """Bytes that are free on the disk of `folder`, which need not exist yet; 0 where that cannot be told."""
    try:
        return shutil.disk_usage(_existing(folder)).free
    except OSError:
        return 0


def room_left(folder: Path) -> int:
    """Bytes that can be put on the disk of `folder` before its floor is reached; negative below it."""
    try:
        usage = shutil.disk_usage(_existing(folder))
    except OSError:
        return -FLOOR_BYTES
    return usage.free - max(FLOOR_BYTES, int(usage.total * FLOOR_SHARE))


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def create_temporary(folder: Path) -> Path:
    """Make an empty file that `sweep_temporaries` knows, should we die before `adopt`. Raises OSError."""
    make_folder(folder)
    path = folder / f".kv{SUFFIX}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    return path


def adopt(temporary: Path, id: str) -> Path:
    """Give a whole temporary file its name. Raises OSError.

    Nothing is synced: a file that a power cut tears fails its checksum, and is only a cache.
    """
    path = temporary.with_name(id + SUFFIX)
    temporary.replace(path)
    return path


def copy_into(source: str, target: Path, stop: Callable[[], bool]) -> bool:
    """Copy the file at `source` over the empty one at `target`; False if `stop` said to end before.

    Raises:
        OSError: For want of space too.
    """
    with open(source, "rb", buffering=0) as reader, target.open("r+b", buffering=0) as writer:  # noqa: PTH123
        size = os.fstat(reader.fileno()).st_size
        os.posix_fallocate(writer.fileno(), 0, size)
        done = 0
        while done < size:
            if stop():
                return False
            done += os.sendfile(writer.fileno(), reader.fileno(), done, min(_COPY_BYTES, size - done))
    return True
