"""The bytes of a GGUF header: every count and length in them checked against what is really there."""

from __future__ import annotations

import re
import struct
from io import BufferedReader
from typing import NamedTuple

from tui_chat.memory.gguf_types import ARRAY, SCALARS, STRING

MAX_HEADER = 64 << 20
"""Bytes; the largest real headers (262k-token vocabularies with merges) take about 15 MiB."""
MAX_ARRAY = 4096
"""Elements; longer arrays belong to the vocabulary, and only their length is kept."""
_READ_AHEAD = 1 << 20
_KEY = re.compile(rb"tokenizer(\.[a-z0-9_]+)+")
_NEXT_KEY = b"\0\0\0\0\0\0\0tokenizer."
_WORDY = 32
"""Bytes that a vocabulary's entries have on average at most, length included."""

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

Scalar = int | float | bool | str


class Skipped(NamedTuple):
    """Stands for an array that was stepped over."""

    length: int


Value = Scalar | tuple[Scalar, ...] | Skipped


class DamagedError(Exception):
    """The bytes are no GGUF header; the text says what is wrong, to follow the file's name."""


class Reader:
    """A header's bytes, `filled` as far as they are asked for and never past `MAX_HEADER`.

    Args:
        file: Open at its start.
        size: Of the whole file in bytes.
        room: What earlier headers were read into, to be overwritten: fresh memory costs more time than all
            else, as the kernel clears it page by page.
        leap: Whether to find the end of a vocabulary by looking for the key behind it, 30 times faster
            than walking it. It can be misled; then what follows makes no sense, and is to be read again
            without.
    """

    def __init__(self, file: BufferedReader, size: int, room: bytearray, *, leap: bool) -> None:
        self.size = size
        self.at = 0
        self.buffer = room
        self.filled = 0
        self.skipped: list[tuple[int, int]] = []
        self._file = file
        self._leap = leap

    def need(self, count: int) -> None:
        """Make sure that `count` bytes from `at` on are in the buffer."""
        end = self.at + count
        if end <= self.filled:
            return
        if end > self.size:
            raise DamagedError("is cut short or damaged: its header runs past the end of the file")
        if end > MAX_HEADER:
            raise DamagedError(f"is damaged: its header would be larger than {MAX_HEADER >> 20} MiB")
        self._fill(min(max(end, self.filled + _READ_AHEAD), self.size))
        if end > self.filled:
            raise DamagedError("shrank while it was read")

    def _fill(self, end: int) -> None:
        """Read on to byte `end` of the file, if that is still there."""
        if end > len(self.buffer):
            self.buffer += bytes(end - len(self.buffer))
        with memoryview(self.buffer) as room:
            self.filled += self._file.readinto(room[self.filled : end])

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        self.need(count)
        piece = bytes(self.buffer[self.at : self.at + count])
        self.at += count
        return piece

    def u32(self) -> int:
        """Read a 32-bit number."""
        return int(_U32.unpack(self.take(4))[0])

    def u64(self) -> int:
        """Read a 64-bit number."""
        return int(_U64.unpack(self.take(8))[0])

    def string(self) -> str:
        """Read a string."""
        return self.take(self.u64()).decode("utf-8", errors="replace")

    def count(self, what: str, smallest: int, most: int = MAX_HEADER) -> int:
        """Read a count of things that take at least `smallest` bytes each."""
        count = self.u64()
        if count > min(self.size // smallest, most):
            raise DamagedError(f"is damaged: it claims {count:,} {what}")
        return count

    def ahead(self, count: int) -> bool:
        """Have `count` more bytes in the buffer, if the file has them; says whether."""
        end = min(self.at + count, self.size, MAX_HEADER)
        if end > self.filled:
            self.need(end - self.at)
        return self.at + count <= self.filled

    def value(self) -> Value:
        """Read one metadata value; long arrays and arrays of strings are stepped over."""
        kind = self.u32()
        return self._array() if kind == ARRAY else self._scalar(kind)

    def _scalar(self, kind: int) -> Scalar:
        if kind == STRING:
            return self.string()
        code = SCALARS.get(kind)
        if code is None:
            raise DamagedError(f"is damaged: metadata of unknown type {kind}")
        scalar: Scalar = struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0]
        return scalar

    def _array(self) -> Value:
        kind = self.u32()
        if kind == STRING:
            length = self.count("strings", 8)
            self._skip_strings(length)
            return Skipped(length)
        code = SCALARS.get(kind)
        if code is None:
            raise DamagedError(f"is damaged: an array of unknown type {kind}")
        size = struct.calcsize(code)
        length = self.count("array elements", size)
        if length <= MAX_ARRAY:
            elements: tuple[Scalar, ...] = struct.unpack(f"<{length}{code}", self.take(length * size))
            return elements
        self.need(length * size)
        self._step_over(self.at + length * size)
        return Skipped(length)

    def _step_over(self, end: int) -> None:
        self.skipped.append((self.at, end))
        self.at = end

    def _skip_strings(self, count: int) -> None:
        end = self._next_key(count) if self._leap and count > MAX_ARRAY else None
        if end is None:
            start = self.at
            self._walk(count)
            end, self.at = self.at, start
        self._step_over(end)

    def _next_key(self, count: int) -> int | None:
        """Where the next key about the tokenizer begins behind `count` strings, None if none is near."""
        start = self.at + 8 * count
        limit = min(self.size, MAX_HEADER, self.at + _WORDY * count)
        while start < limit:
            self.need(min(start + _READ_AHEAD, limit) - self.at)
            found = self.buffer.find(_NEXT_KEY, start, self.filled)
            if found < 0:
                start = self.filled - len(_NEXT_KEY)
                if self.filled >= limit:
                    return None
                continue
            begin = found - 1  # the length's lowest byte stands before its seven zeros
            key = self.buffer[found + 7 : found + 7 + self.buffer[begin]]
            if _KEY.fullmatch(key):
                return begin
            start = found + 1
        return None

    def _walk(self, count: int) -> None:
        """Step over `count` strings one by one."""
        unpack, buffer, at = _U64.unpack_from, self.buffer, self.at
        last = self.filled - 8
        for _ in range(count):
            if at > last:
                self.at = at
                self.need(8)
                last = self.filled - 8
            at += 8 + unpack(buffer, at)[0]
        self.at = at
        self.need(0)
