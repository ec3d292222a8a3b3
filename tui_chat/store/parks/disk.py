"""The parks folder: what is in it, what may still go into it, and taking its oldest out."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.memory.parkfile import ParkError, read_park_header
from tui_chat.store.files import make_folder, sweep_temporaries
from tui_chat.store.parks.entries import ParkEntry, Place

SUFFIX = ".park"
FLOOR_BYTES, FLOOR_SHARE = 1 << 30, 0.05
"""The larger of the two is left free on the disk, whatever the cap allows."""
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


def has_room(folder: Path, size: int) -> bool:
    """Whether the disk keeps its floor with `size` bytes more on it."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return False
    return usage.free - size >= max(FLOOR_BYTES, int(usage.total * FLOOR_SHARE))


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


def copy_into(source: str, target: Path) -> None:
    """Copy the file at `source` over the empty one at `target`. Raises OSError, for want of space too."""
    with open(source, "rb", buffering=0) as reader, target.open("r+b", buffering=0) as writer:  # noqa: PTH123
        size = os.fstat(reader.fileno()).st_size
        os.posix_fallocate(writer.fileno(), 0, size)
        done = 0
        while done < size:
            done += os.sendfile(writer.fileno(), reader.fileno(), done, min(_COPY_BYTES, size - done))
