"""Reads what a GGUF file says of itself, without reading its weights.

The file is foreign input: every count and length in it is checked against the bytes that are really
there, so that any byte string gives a header or a `GgufError`, in bounded memory and time.
"""

from __future__ import annotations

import hashlib
import stat
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.gguf_types import ARRAY, FILE_TYPES, SCALARS, STRING, TENSOR_TYPES

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_HEADER = 64 << 20
"""Bytes; the largest real headers (262k-token vocabularies with merges) take about 15 MiB."""
MAX_ENTRIES = 1 << 17
"""Metadata entries or tensors; the largest mixture-of-experts models have a few thousand."""
MAX_DIMENSIONS = 4
READ_AHEAD = 1 << 20

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What one GGUF file holds.

    Attributes:
        kind: ``general.type``: ``model``, or ``mmproj``, ``adapter`` … for files that are no model.
        parameters: Number of weights in this file.
        trained_context: In tokens, 0 where the file does not say.
        quant: Such as ``Q4_K_M``.
        size_bytes: Of this file.
        fingerprint: Identifies the file: a hash of its header and its size.
        shards: Number of files the model is split into, 1 for a whole one.
    """

    architecture: str
    name: str
    kind: str
    parameters: int
    trained_context: int
    quant: str
    size_bytes: int
    chat_template: str | None
    fingerprint: str
    shards: int = 1


class GgufError(Exception):
    """A file is missing or is no usable GGUF file; `problem` says why, for a person."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def read_header(path: Path) -> GgufHeader:
    """Read the header of the GGUF file at `path`: milliseconds, whatever the size of the weights.

    Raises:
        GgufError: The file is missing, unreadable, not GGUF, damaged, or shorter than its tensors need.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            _invalid(path, "is not a file")
        with path.open("rb") as file:
            return _parse(_Reader(path, file, status.st_size))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise GgufError(
            Problem(
                code=ProblemCode.MODEL_MISSING,
                what=f"There is no model file at {path}.",
                remedy="Choose another model, or put the file back.",
            )
        ) from error
    except (OSError, ValueError) as error:
        _invalid(path, f"cannot be read: {error}")


def _invalid(path: Path, why: str) -> NoReturn:
    raise GgufError(
        Problem(
            code=ProblemCode.MODEL_INVALID,
            what=f"{path.name} {why}.",
            remedy="Download the file again, or choose another model.",
            detail=str(path),
        )
    )


class _Reader:
    """The header's bytes, read as far as they are asked for and never past `MAX_HEADER`."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path = path
        self.size = size
        self.at = 0
        self.buffer = bytearray()
        self._file = file

    def fail(self, why: str) -> NoReturn:
        _invalid(self.path, why)

    def need(self, count: int) -> None:
        """Make sure that `count` bytes from `at` on are in the buffer."""
        end = self.at + count
        if end <= len(self.buffer):
            return
        if end > self.size:
            self.fail("is cut short or damaged: its header runs past the end of the file")
        if end > MAX_HEADER:
            self.fail(f"is damaged: its header would be larger than {MAX_HEADER >> 20} MiB")
        self.buffer += self._file.read(max(end - len(self.buffer), READ_AHEAD))
        if end > len(self.buffer):
            self.fail("shrank while it was read")

    def take(self, count: int) -> bytes:
        self.need(count)
        piece = bytes(self.buffer[self.at : self.at + count])
        self.at += count
        return piece

    def u32(self) -> int:
        return int(_U32.unpack(self.take(4))[0])

    def u64(self) -> int:
        return int(_U64.unpack(self.take(8))[0])

    def string(self) -> str:
        return self.take(self.u64()).decode("utf-8", errors="replace")

    def count(self, what: str, smallest: int, most: int = MAX_HEADER) -> int:
        """Read a count of things that take at least `smallest` bytes each."""
        count = self.u64()
        if count > min(self.size // smallest, most):
            self.fail(f"is damaged: it claims {count:,} {what}")
        return count

    def skip_strings(self, count: int) -> None:
        """Step over `count` strings: the hot loop, a vocabulary has 300,000 of them."""
        unpack, buffer, at = _U64.unpack_from, self.buffer, self.at
        last = len(buffer) - 8
        for _ in range(count):
            if at > last:
                self.at = at
                self.need(8)
                last = len(buffer) - 8
            at += 8 + unpack(buffer, at)[0]
        self.at = at
        self.need(0)

    def value(self) -> Value | None:
        """Read one metadata value; arrays are stepped over and give None."""
        kind = self.u32()
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            self._skip_array()
            return None
        code = SCALARS.get(kind)
        if code is None:
            self.fail(f"is damaged: metadata of unknown type {kind}")
        scalar: Value = struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0]
        return scalar

    def _skip_array(self) -> None:
        kind = self.u32()
        if kind == STRING:
            self.skip_strings(self.count("strings", 8))
            return
        code = SCALARS.get(kind)
        if code is None:
            self.fail(f"is damaged: an array of unknown type {kind}")
        size = struct.calcsize(code)
        length = self.count("array elements", size) * size
        self.need(length)
        self.at += length


@dataclass(frozen=True, slots=True)
class _Tensors:
    """All tensors of a file together: weights, bytes of each type, and where their data ends."""

    parameters: int
    bytes_by_type: Counter[str]
    end: int


def _parse(reader: _Reader) -> GgufHeader:
    if reader.size < len(MAGIC) or reader.take(len(MAGIC)) != MAGIC:
        reader.fail("is empty" if reader.size == 0 else "is not a GGUF file")
    version = reader.u32()
    if version not in VERSIONS:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in VERSIONS
        reader.fail(
            "is a big-endian GGUF file" if swapped else f"has GGUF version {version}; 2 and 3 can be read"
        )
    tensor_count = reader.count("tensors", 24, MAX_ENTRIES)
    metadata: dict[str, Value | None] = {}
    for _ in range(reader.count("metadata entries", 13, MAX_ENTRIES)):
        key = reader.string()
        metadata[key] = reader.value()
    architecture = _text(metadata, "general.architecture")
    if not architecture:
        reader.fail("does not say which architecture it has")
    tensors = _tensors(reader, tensor_count)
    _check_length(reader, _number(metadata, "general.alignment", 32), tensors.end)
    return GgufHeader(
        architecture=architecture,
        name=_text(metadata, "general.name"),
        kind=_text(metadata, "general.type") or ("mmproj" if architecture == "clip" else "model"),
        parameters=tensors.parameters,
        trained_context=_number(metadata, f"{architecture}.context_length", 0),
        quant=_quant(metadata, tensors),
        size_bytes=reader.size,
        chat_template=_text(metadata, "tokenizer.chat_template") or None,
        fingerprint=_fingerprint(reader),
        shards=max(1, _number(metadata, "split.count", 1)),
    )


def _tensors(reader: _Reader, count: int) -> _Tensors:
    parameters, end = 0, 0
    bytes_by_type: Counter[str] = Counter()
    for _ in range(count):
        name = reader.string()
        dimensions = reader.u32()
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            reader.fail(f"is damaged: tensor {name!r} has {dimensions} dimensions")
        elements = 1
        for _ in range(dimensions):
            elements *= reader.u64()
        kind = TENSOR_TYPES.get(reader.u32())
        offset = reader.u64()
        parameters += elements
        # A type newer than this table cannot be measured; llama.cpp decides about it.
        size = -(-elements // kind.block) * kind.size if kind else 0
        bytes_by_type[kind.name if kind else "?"] += size
        end = max(end, offset + size)
    return _Tensors(parameters, bytes_by_type, end)


def _check_length(reader: _Reader, alignment: int, data: int) -> None:
    if alignment <= 0 or alignment & (alignment - 1):
        reader.fail(f"is damaged: an alignment of {alignment}")
    start = -(-reader.at // alignment) * alignment
    if data and start + data > reader.size:
        have, want = reader.size / 2**20, (start + data) / 2**20
        if want > 2**40:
            reader.fail("is damaged: its tensors have impossible sizes")
        reader.fail(f"is incomplete: {have:,.1f} MiB of {want:,.1f} MiB are there")


def _fingerprint(reader: _Reader) -> str:
    digest = hashlib.sha256(memoryview(reader.buffer)[: reader.at])
    digest.update(_U64.pack(reader.size))
    return digest.hexdigest()[:16]


def _quant(metadata: dict[str, Value | None], tensors: _Tensors) -> str:
    named = FILE_TYPES.get(_number(metadata, "general.file_type", -1))
    if named:
        return named
    return tensors.bytes_by_type.most_common(1)[0][0] if tensors.bytes_by_type else ""


def _text(metadata: dict[str, Value | None], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _number(metadata: dict[str, Value | None], key: str, default: int) -> int:
    value = metadata.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
