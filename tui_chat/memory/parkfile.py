"""The file of a parked KV cache: whose it is, which tokens it holds, and proof that it is whole.

::

    magic · version · length and CRC-32 of the header · CRC-32 of the payload · size of the file
    header (msgpack)
    padding, then the payload: the state of all tokens, then each checkpoint's

llama.cpp takes the bytes of a state on trust and ends the process where they are wrong. So nothing of a
file is used before all of it is proven, and the magic is written last: what a killed writer leaves is no
park file. CRC-32 finds every damage that happens by itself, at 3 GB/s.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.plan import KvType

MAGIC = b"tuichat\x1c"
VERSION = 2
MAX_HEADER = 64 << 20
"""Bytes; a million tokens take 4 MiB."""
_PREAMBLE = struct.Struct("<8sIIIIQ")
_ALIGNMENT = 64
_PIECE = 32 << 20
"""Bytes written or proven at once: some 10 ms."""
_INTEGER = "i"
"""Of `array`: tokens are 32-bit integers, in the machine's byte order like the state they belong to."""


class KvIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What must be the same for one cache's state to mean anything in another.

    Attributes:
        fingerprint: Of the model file's header.
        weights: Hash of samples of the file's weights, which the header says nothing of.
        backend: Name and version of the library.
        flash_attention: Whether attention is computed that way; the values differ in layout and rounding.
        window: Tokens that a sliding window sees, 0 without one.
        recurrent: Whether some of the state is recurrent.
    """

    fingerprint: str
    weights: str
    backend: str
    kv_type: KvType
    flash_attention: bool
    window: int
    recurrent: bool


class ParkLabel(msgspec.Struct, frozen=True):
    """Whose conversation it is, for people, and what it is worth.

    Attributes:
        model: The model's id.
        session: The session's, if it has one.
        answer: The answer up to which the conversation was read.
        saves_s: Seconds that bringing it back saves over reading it anew; 0 where nobody said.
    """

    model: str
    session: str | None = None
    saves_s: float = 0.0
    answer: str | None = None


class Span(msgspec.Struct, frozen=True):
    """One checkpoint: the state of the first `position` tokens takes `size` bytes."""

    position: int
    size: int


class ParkHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a park file says of itself.

    Attributes:
        packed: The tokens.
        state: Its size in bytes.
        seam: Where tokens begin that were moved, and that only requests which let tokens be moved may go
            on from; None if none were.
    """

    identity: KvIdentity
    label: ParkLabel
    parked: datetime
    packed: bytes
    state: int
    checkpoints: tuple[Span, ...] = ()
    seam: int | None = None

    @property
    def tokens(self) -> array[int]:
        """The tokens whose state it is, in order."""
        return array(_INTEGER, self.packed)

    @property
    def count(self) -> int:
        """How many tokens it holds."""
        return len(self.packed) // array(_INTEGER).itemsize

    @property
    def payload(self) -> int:
        """Bytes of the payload."""
        return self.state + sum(span.size for span in self.checkpoints)

    def reusable(self, common: int, *, shift: bool = False) -> int:
        """How many tokens could be reused of a prompt that begins with the first `common` of ours."""
        identity = self.identity
        if self.seam is not None and not shift:
            common = min(common, self.seam)
        if common >= self.count or not (identity.window or identity.recurrent):
            return min(common, self.count)
        return max((span.position for span in self.checkpoints if span.position <= common), default=0)


class ParkError(Exception):
    """A park file is missing, damaged or not one; `problem` says why, for a person."""

    def __init__(self, path: str | Path, why: str) -> None:
        self.problem = Problem(
            code=ProblemCode.PARK_INVALID,
            what=f"The parked conversation in {path} cannot be used: {why}.",
            kept="The conversation itself is not touched; the model reads it anew.",
        )
        super().__init__(self.problem.what)


@dataclass(frozen=True, slots=True)
class Parked:
    """A proven file's header, and where in the map its state and its checkpoints begin."""

    header: ParkHeader
    map: mmap.mmap
    offset: int


def pack_tokens(tokens: list[int]) -> bytes:
    """Bring tokens into the form that a header keeps."""
    return array(_INTEGER, tokens).tobytes()


def file_size(header: ParkHeader) -> int:
    """Bytes that the file of `header` takes."""
    return _payload_offset(len(msgspec.msgpack.encode(header))) + header.payload


def write_park(
    path: str,
    header: ParkHeader,
    fill: Callable[[mmap.mmap, int], bool],
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Write a park file into the existing file at `path`, and return its size in bytes.

    The room is taken before anything is written, so that a full disk is an error and no signal.

    Args:
        path: An empty file, which is made sure of; it need not have a name of its own (``/proc/PID/fd/N``).
        header: Its sizes must be those of the payload.
        fill: Writes the payload into the map from an offset on; False if it could not.
        stop: Asked every few milliseconds, but for `fill`, whether somebody waits for more urgent things.

    Raises:
        OSError: There is no room, or no such file.
        ParkError: `fill` could not, the file is not empty, or `stop` said to give up.
    """
    body = msgspec.msgpack.encode(header)
    offset = _payload_offset(len(body))
    size = offset + header.payload
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_size or not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ParkError(path, "there is something else")
        for start in _pieces(path, 0, size, stop):
            os.posix_fallocate(fd, start, min(_PIECE, size - start))
        with mmap.mmap(fd, size) as room:
            if not fill(room, offset):
                raise ParkError(path, "its state could not be read out of the model")
            checksum = 0
            with memoryview(room) as view:
                for start in _pieces(path, offset, size, stop):
                    with view[start : start + _PIECE] as piece:
                        checksum = zlib.crc32(piece, checksum)
            room[_PREAMBLE.size : _PREAMBLE.size + len(body)] = body
            room[: _PREAMBLE.size] = _PREAMBLE.pack(
                MAGIC, VERSION, len(body), zlib.crc32(body), checksum, size
            )
    finally:
        os.close(fd)
    return size


def _pieces(path: str, start: int, end: int, stop: Callable[[], bool]) -> Iterator[int]:
    """Yield where each piece from `start` to `end` begins, as long as `stop` lets us go on."""
    for place in range(start, end, _PIECE):
        if stop():
            raise ParkError(path, "it was given up, because something else was wanted of the model")
        yield place


def read_park_header(path: str | Path) -> ParkHeader:
    """Read and check all of a park file but its payload; never follows a link in the folder.

    Raises:
        ParkError: It is missing, cut short, damaged, of another version, or no park file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ParkError(path, error.strerror or str(error)) from error
    try:
        return _header(path, fd)[0]
    except OSError as error:
        raise ParkError(path, error.strerror or str(error)) from error
    finally:
        os.close(fd)


@contextmanager
def open_park(path: str) -> Iterator[Parked]:
    """Prove every byte of a park file, then lend it; what is written into the map stays private.

    Raises:
        ParkError: As `read_park_header`, or the payload is damaged.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ParkError(path, error.strerror or str(error)) from error
    try:
        header, offset, checksum = _header(path, fd)
        data = mmap.mmap(fd, offset + header.payload, access=mmap.ACCESS_COPY)
    except (OSError, ValueError) as error:
        raise ParkError(path, str(error)) from error
    finally:
        os.close(fd)
    with data:
        with memoryview(data) as view, view[offset:] as payload:
            if zlib.crc32(payload) != checksum:
                raise ParkError(path, "its checksum is wrong")
        yield Parked(header, data, offset)


def _header(path: str | Path, fd: int) -> tuple[ParkHeader, int, int]:
    """(header, offset of the payload, its checksum) of an open file, or `ParkError` or `OSError`."""
    status = os.fstat(fd)
    preamble = os.pread(fd, _PREAMBLE.size, 0) if stat.S_ISREG(status.st_mode) else b""
    if len(preamble) < _PREAMBLE.size:
        raise ParkError(path, "it is too short")
    magic, version, length, checksum, payload, size = _PREAMBLE.unpack(preamble)
    if magic != MAGIC:
        raise ParkError(path, "it is no park file, or was never finished")
    if version != VERSION:
        raise ParkError(path, f"it has format {version}, and this is {VERSION}")
    if size != status.st_size or length > min(size, MAX_HEADER):
        raise ParkError(path, "it is cut short or damaged")
    body = os.pread(fd, length, _PREAMBLE.size)
    if zlib.crc32(body) != checksum:
        raise ParkError(path, "its header is damaged")
    try:
        header = msgspec.msgpack.decode(body, type=ParkHeader)
    except msgspec.MsgspecError as error:
        raise ParkError(path, f"its header says nonsense: {error}") from error
    offset = _payload_offset(length)
    if offset + header.payload != size or min(header.state, *(s.size for s in header.checkpoints), 1) < 1:
        raise ParkError(path, "its sizes do not add up")
    return header, offset, payload


def _payload_offset(header: int) -> int:
    end = _PREAMBLE.size + header
    return end + -end % _ALIGNMENT
