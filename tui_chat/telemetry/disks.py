"""What disks read and wrote so far, each byte counted once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

_BLOCKS = Path("/sys/block")


def moved_bytes(blocks: Path = _BLOCKS) -> tuple[int, int]:
    """Return the bytes that all disks together have read and written; a container may hide it, then 0."""
    read = written = 0
    with suppress(OSError, RuntimeError):
        for name, counted in psutil.disk_io_counters(perdisk=True).items():
            if _is_disk(name, blocks):
                read, written = read + counted.read_bytes, written + counted.write_bytes
    return read, written


def _is_disk(name: str, blocks: Path) -> bool:
    """Whether it is a disk itself: no part of one, and nothing laid over one, which would count it twice.

    Encryption, LVM, RAID and loops are laid over disks, and compressed swap is none: Linux knows of a device
    only for what is real. Other systems tell of disks only.
    """
    return not blocks.is_dir() or (blocks / name.replace("/", "!") / "device").exists()
