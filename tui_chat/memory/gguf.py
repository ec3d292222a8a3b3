"""Reads what a GGUF file says of itself, without reading its weights.

The file is foreign input: any byte string gives a header or a `GgufError`, in bounded memory and time.
"""

from __future__ import annotations

import hashlib
import math
import stat
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NoReturn

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.gguf_reader import DamagedError, Reader, Skipped, Value
from tui_chat.memory.gguf_types import FILE_TYPES, TENSOR_TYPES, TensorType

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_ENTRIES = 1 << 17
"""Metadata entries or tensors; the largest mixture-of-experts models have a few thousand."""
MAX_DIMENSIONS = 4
_SAMPLES, _SAMPLE_BYTES = 4, 4096
_ENTRY_BYTES, _SHORTEST_ENTRY = 1 << 16, 32
"""Bytes looked ahead over the table of tensors, and of its shortest entry."""
_LONGEST_NAME = 1024
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_TENSOR = tuple(struct.Struct(f"<{dimensions}QIQ") for dimensions in range(MAX_DIMENSIONS + 1))


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What one GGUF file is.

    Attributes:
        kind: ``general.type``: ``model``, or ``mmproj``, ``adapter`` … for files that are no model.
        parameters: Number of weights in this file.
        trained_context: In tokens, 0 where the file does not say.
        quant: Such as ``Q4_K_M``.
        size_bytes: Of this file.
        pooling: What a model makes of a text instead of the next token, as llama.cpp counts it; 0 is nothing.
        causal: Whether a token sees only what stands before it, as it must where text is written.
        fingerprint: Identifies the file: a hash of what its header says, its size and samples of its weights.
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
    pooling: int = 0
    causal: bool = True


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor. `shape` begins with the innermost dimension, as ggml has it; `size` is in bytes."""

    name: str
    shape: tuple[int, ...]
    kind: TensorType | None
    size: int


@dataclass(frozen=True, slots=True)
class GgufFile:
    """One GGUF file's header in full.

    Attributes:
        metadata: By key; the vocabulary's arrays only as their lengths.
        tensors: In the order of the file.
        header_bytes: Where the header ends and the weights may begin.
        full_bytes: What the file's size must be for its weights to be all there.
    """

    header: GgufHeader
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    header_bytes: int
    full_bytes: int


class GgufError(Exception):
    """A file is missing or is no usable GGUF file; `problem` says why, for a person."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def read_header(path: Path, room: bytearray | None = None) -> GgufHeader:
    """Read the header of the GGUF file at `path`: milliseconds, whatever the size of the weights.

    `room` is for who reads many: the same bytes may be given each time, to be overwritten.

    Raises:
        GgufError: The file is missing, unreadable, not GGUF, damaged, or shorter than its tensors need.
    """
    return read_file(path, room=room).header


def read_file(path: Path, *, complete: bool = True, room: bytearray | None = None) -> GgufFile:
    """Read everything that the header of `path` says; `complete` demands that the weights are there too.

    `room` as for `read_header`.

    Raises:
        GgufError: As for `read_header`.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            _invalid(path, "is not a file")
        with path.open("rb") as file:
            return _read(file, status.st_size, bytearray() if room is None else room, complete=complete)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise GgufError(
            Problem(
                code=ProblemCode.MODEL_MISSING,
                what=f"There is no model file at {path}.",
                remedy="Choose another model, or put the file back.",
            )
        ) from error
    except DamagedError as error:
        _invalid(path, str(error))
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


def _read(file: BufferedReader, size: int, room: bytearray, *, complete: bool) -> GgufFile:
    """Read with leaps over the vocabulary; where that leads nowhere, once more step by step."""
    try:
        return _parse(Reader(file, size, room, leap=True), file, complete=complete)
    except DamagedError:
        file.seek(0)
        return _parse(Reader(file, size, room, leap=False), file, complete=complete)


def _parse(reader: Reader, file: BufferedReader, *, complete: bool) -> GgufFile:
    if reader.size < len(MAGIC) or reader.take(len(MAGIC)) != MAGIC:
        raise DamagedError("is empty" if reader.size == 0 else "is not a GGUF file")
    version = reader.u32()
    if version not in VERSIONS:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in VERSIONS
        raise DamagedError(
            "is a big-endian GGUF file" if swapped else f"has GGUF version {version}; 2 and 3 can be read"
        )
    tensor_count = reader.count("tensors", 24, MAX_ENTRIES)
    metadata: dict[str, Value] = {}
    for _ in range(reader.count("metadata entries", 13, MAX_ENTRIES)):
        key = reader.string()
        metadata[key] = reader.value()
    architecture = _text(metadata, "general.architecture")
    if not architecture:
        raise DamagedError("does not say which architecture it has")
    tensors, data = _tensors(reader, tensor_count)
    start, full = _extent(reader, number(metadata, "general.alignment", 32), data)
    if complete:
        _check_length(reader.size, full)
    header = GgufHeader(
        architecture=architecture,
        name=_text(metadata, "general.name"),
        kind=_text(metadata, "general.type") or ("mmproj" if architecture == "clip" else "model"),
        parameters=sum(math.prod(tensor.shape) for tensor in tensors),
        trained_context=number(metadata, f"{architecture}.context_length", 0),
        quant=_quant(metadata, tensors),
        size_bytes=reader.size,
        chat_template=_text(metadata, "tokenizer.chat_template") or None,
        fingerprint=_fingerprint(reader, file, start),
        shards=max(1, number(metadata, "split.count", 1)),
        pooling=number(metadata, f"{architecture}.pooling_type", 0),
        causal=metadata.get(f"{architecture}.attention.causal") is not False,
    )
    return GgufFile(header, metadata, tuple(tensors), start, full)


def _tensors(reader: Reader, count: int) -> tuple[list[Tensor], int]:
    """Read the table of tensors; also how many bytes of data they need."""
    tensors: list[Tensor] = []
    end = 0
    for _ in range(count):
        name, shape, type_number, offset = _entry(reader)
        kind = TENSOR_TYPES.get(type_number)
        # A type newer than this table cannot be measured; llama.cpp decides about it.
        size = -(-math.prod(shape) // kind.block) * kind.size if kind else 0
        tensors.append(Tensor(name, shape, kind, size))
        end = max(end, offset + size)
    return tensors, end


def _entry(reader: Reader) -> tuple[str, tuple[int, ...], int, int]:
    """Read a tensor's name, shape, type and offset: the hot loop of listing many models."""
    reader.ahead(_ENTRY_BYTES)
    buffer, at = reader.buffer, reader.at
    if reader.filled < at + _SHORTEST_ENTRY:
        reader.need(_SHORTEST_ENTRY)
    length = _U64.unpack_from(buffer, at)[0]
    if length > _LONGEST_NAME:
        raise DamagedError(f"is damaged: a tensor's name of {length:,} bytes")
    end = at + 8 + length
    reader.need(end + 4 - at)
    dimensions = _U32.unpack_from(buffer, end)[0]
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        name = bytes(buffer[at + 8 : end]).decode("utf-8", "replace")
        raise DamagedError(f"is damaged: tensor {name!r} has {dimensions} dimensions")
    layout = _TENSOR[dimensions]
    reader.need(end + 4 + layout.size - at)
    *shape, kind, offset = layout.unpack_from(buffer, end + 4)
    reader.at = end + 4 + layout.size
    return buffer[at + 8 : end].decode("utf-8", "replace"), tuple(shape), kind, offset


def _extent(reader: Reader, alignment: int, data: int) -> tuple[int, int]:
    """Where the weights begin, and where the file must at least end."""
    if alignment <= 0 or alignment & (alignment - 1):
        raise DamagedError(f"is damaged: an alignment of {alignment}")
    start = -(-reader.at // alignment) * alignment
    full = start + data if data else reader.at
    if full > 2**60:
        raise DamagedError("is damaged: its tensors have impossible sizes")
    return start, full


def _check_length(size: int, full: int) -> None:
    if full > size:
        have, want = size / 2**20, full / 2**20
        raise DamagedError(f"is incomplete: {have:,.1f} MiB of {want:,.1f} MiB are there")


def _fingerprint(reader: Reader, file: BufferedReader, start: int) -> str:
    """Hash the header without its vocabulary, and a little of the weights: fine-tunes differ only there."""
    digest = hashlib.sha256(str(reader.size).encode())
    at = 0
    for begin, end in (*reader.skipped, (reader.at, reader.at)):
        digest.update(memoryview(reader.buffer)[at:begin])
        at = end
    for sample in range(_SAMPLES):
        file.seek(start + max(0, reader.size - start - _SAMPLE_BYTES) * sample // (_SAMPLES - 1))
        digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]


def _quant(metadata: Mapping[str, Value], tensors: list[Tensor]) -> str:
    named = FILE_TYPES.get(number(metadata, "general.file_type", -1))
    if named:
        return named
    weight: Counter[str] = Counter()
    for tensor in tensors:
        weight[tensor.kind.name if tensor.kind else "?"] += tensor.size
    return weight.most_common(1)[0][0] if weight else ""


def _text(metadata: Mapping[str, Value], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def number(metadata: Mapping[str, Value], key: str, default: int) -> int:
    """The whole number at `key`, or `default` where there is none."""
    value = metadata.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def length(metadata: Mapping[str, Value], key: str) -> int:
    """How many elements the array at `key` has; 0 where there is none."""
    value = metadata.get(key)
    if isinstance(value, Skipped):
        return value.length
    return len(value) if isinstance(value, tuple) else 0
