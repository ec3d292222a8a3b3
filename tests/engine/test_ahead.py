"""Files are in the kernel's cache before anybody loads them: all of them, whatever one call reads at most."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from tests.worker.support import eventually
from tui_chat.engine.ahead import ReadAhead

SIZE = 48 << 20
"""More than the kernel reads ahead for one call."""
_libc = ctypes.CDLL(None, use_errno=True)


def _cold(path: Path) -> Path:
    """A file that is on disk only."""
    with path.open("wb") as file:
        file.write(os.urandom(SIZE))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if _cached(path) > SIZE // 2:
        pytest.skip("this file system keeps its files in memory")
    return path


def _cached(path: Path) -> int:
    """Bytes of a file that are in memory."""
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE) as view,
    ):
        pages = (ctypes.c_ubyte * (SIZE // mmap.PAGESIZE))()
        start = ctypes.addressof(ctypes.c_char.from_buffer(view))
        assert _libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(SIZE), pages) == 0
        return sum(page & 1 for page in pages) * mmap.PAGESIZE


async def test_a_whole_file_is_read_and_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    first, second = _cold(tmp_path / "first.gguf"), _cold(tmp_path / "second.gguf")
    ahead = ReadAhead()
    ahead.begin([tmp_path / "gone.gguf", first, second], SIZE + SIZE // 2)
    await ahead.done()
    await eventually(lambda: _cached(first) == SIZE)
    assert _cached(second) < SIZE


async def test_reading_ahead_stops_when_it_is_told(tmp_path: Path) -> None:
    path, ahead = _cold(tmp_path / "a.gguf"), ReadAhead()
    ahead.begin([path], SIZE)
    ahead.stop()
    await ahead.done()
    assert _cached(path) < SIZE
