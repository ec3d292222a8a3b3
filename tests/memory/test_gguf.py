"""The GGUF header reader: what it finds in a real model, and what foreign bytes can do to it."""

from __future__ import annotations

import dataclasses
import os
import random
import struct
from pathlib import Path

import pytest

from tui_chat.chat.model import ProblemCode
from tui_chat.memory.gguf import GgufError, read_header

HEADER_BYTES = 1_789_000
"""Roughly where the starter model's header ends and its weights begin."""


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def text(value: str) -> bytes:
    raw = value.encode()
    return u64(len(raw)) + raw


def entry(key: str, value: str | int | bytes) -> bytes:
    """One metadata entry; bytes are taken as they are, after the key."""
    if isinstance(value, bytes):
        return text(key) + value
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    return text(key) + struct.pack("<II", 4, value)


def tensor(name: str, dims: tuple[int, ...], kind: int, offset: int) -> bytes:
    return (
        text(name)
        + struct.pack("<I", len(dims))
        + b"".join(map(u64, dims))
        + struct.pack("<I", kind)
        + u64(offset)
    )


def gguf(entries: list[bytes], tensors: list[bytes], data: bytes = b"", version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<I", version) + u64(len(tensors)) + u64(len(entries))
    raw = head + b"".join(entries) + b"".join(tensors)
    return raw + b"\0" * (-len(raw) % 32) + data


ARCHITECTURE = entry("general.architecture", "llama")


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(GgufError) as caught:
        read_header(path)
    assert caught.value.problem.code is ProblemCode.MODEL_INVALID
    assert path.name in caught.value.problem.what
    return caught.value.problem.what


def test_real_model_is_described(starter_model: Path) -> None:
    header = read_header(starter_model)
    assert (header.architecture, header.quant, header.kind) == ("llama", "Q4_1", "model")
    assert header.parameters == 134_515_008
    assert header.trained_context == 8192
    assert header.size_bytes == starter_model.stat().st_size
    assert header.chat_template is not None
    assert "<|im_start|>" in header.chat_template
    assert len(header.fingerprint) == 16


def test_fingerprint_follows_header_and_size(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    seen = set()
    for name, data in (("a", b""), ("b", b""), ("b", b"x")):
        path.write_bytes(gguf([ARCHITECTURE, entry("general.name", name)], [], data))
        seen.add(read_header(path).fingerprint)
    assert len(seen) == 3


def test_quant_falls_back_to_the_heaviest_tensor_type(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    tensors = [tensor("norm", (32,), 0, 0), tensor("w", (256, 4), 12, 128)]
    path.write_bytes(gguf([ARCHITECTURE], tensors, b"\0" * 1024))
    assert read_header(path).quant == "Q4_K"


def test_companion_files_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf([entry("general.architecture", "clip")], []))
    assert read_header(path).kind == "mmproj"
    path.write_bytes(gguf([ARCHITECTURE, entry("general.type", "adapter")], []))
    assert read_header(path).kind == "adapter"


def test_every_cut_of_the_real_model_is_refused(starter_model: Path, tmp_path: Path) -> None:
    with starter_model.open("rb") as file:
        head = file.read(HEADER_BYTES + 4096)
    path = tmp_path / "cut.gguf"
    path.write_bytes(head)
    cuts = [*range(64), *range(64, len(head), 40_009), len(head) - 1]
    for cut in reversed(cuts):
        os.truncate(path, cut)
        with pytest.raises(GgufError) as caught:
            read_header(path)
        assert caught.value.problem.code is ProblemCode.MODEL_INVALID


def test_what_an_earlier_header_left_in_the_room_completes_no_other(
    starter_model: Path, tmp_path: Path
) -> None:
    room = bytearray()
    whole = read_header(starter_model, room)
    assert whole == read_header(starter_model)
    path = tmp_path / "cut.gguf"
    with starter_model.open("rb") as file:
        path.write_bytes(file.read(HEADER_BYTES))
    for cut in range(HEADER_BYTES, 0, -150_001):
        os.truncate(path, cut)
        with pytest.raises(GgufError) as alone:
            read_header(path)
        with pytest.raises(GgufError) as after:
            read_header(path, room)
        assert after.value.problem == alone.value.problem
        assert read_header(starter_model, room) == whole


def test_missing_weights_are_counted(starter_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    with starter_model.open("rb") as file:
        path.write_bytes(file.read(HEADER_BYTES + 4096))
    os.truncate(path, starter_model.stat().st_size - 1)
    with pytest.raises(GgufError, match=r"incomplete: 93\.8 MiB of 93\.8 MiB"):
        read_header(path)
    os.truncate(path, starter_model.stat().st_size)
    assert read_header(path).quant == "Q4_1"


def test_one_flipped_byte_never_escapes(starter_model: Path, tmp_path: Path) -> None:
    with starter_model.open("rb") as file:
        head = file.read(HEADER_BYTES + 4096)
    path = tmp_path / "flipped.gguf"
    path.write_bytes(head)
    os.truncate(path, starter_model.stat().st_size)
    chance = random.Random(7)
    places = [*range(8, 400, 3), *(chance.randrange(len(head)) for _ in range(60))]
    codes = set()
    with path.open("r+b", buffering=0) as file:
        for place in places:
            file.seek(place)
            file.write(bytes([chance.randrange(256)]))
            try:
                read_header(path)
            except GgufError as error:
                codes.add(error.problem.code)
            file.seek(place)
            file.write(head[place : place + 1])
    assert codes == {ProblemCode.MODEL_INVALID}
    assert read_header(path).quant == "Q4_1"


@pytest.mark.parametrize("prefix", [b"", b"GGUF", b"GGUF\x03\0\0\0", b"GGUF\x03\0\0\0" + u64(2) + u64(3)])
def test_random_bytes_are_refused(prefix: bytes, tmp_path: Path) -> None:
    chance = random.Random(len(prefix))
    for size in (0, 1, 3, 7, 16, 100, 5000):
        refusal(tmp_path / "noise.gguf", prefix + chance.randbytes(size))


HUGE = 2**63
STRING_ARRAY = struct.pack("<II", 9, 8)


@pytest.mark.parametrize(
    "content",
    [
        b"GGUF" + struct.pack("<I", 3) + u64(HUGE) + u64(0),
        b"GGUF" + struct.pack("<I", 3) + u64(0) + u64(HUGE),
        gguf([u64(HUGE)], []),
        gguf([text("k") + struct.pack("<I", 8) + u64(HUGE)], []),
        gguf([entry("k", STRING_ARRAY + u64(HUGE))], []),
        gguf([entry("k", STRING_ARRAY + u64(2) + u64(HUGE) + u64(HUGE))], []),
        gguf([entry("k", struct.pack("<II", 9, 10) + u64(HUGE))], []),
        gguf([entry("k", struct.pack("<II", 9, 9) + u64(1))], []),
        gguf([entry("k", struct.pack("<I", 99))], []),
        gguf([ARCHITECTURE], [tensor("w", (HUGE, HUGE, HUGE, HUGE), 0, 0)]),
        gguf([ARCHITECTURE], [tensor("w", (1,) * 5, 0, 0)]),
        gguf([ARCHITECTURE], [tensor("w", (), 0, 0)]),
        gguf([ARCHITECTURE], [tensor("w", (1,), 0, HUGE)]),
        gguf([ARCHITECTURE, entry("general.alignment", 0)], []),
        gguf([ARCHITECTURE, entry("general.alignment", 33)], []),
        gguf([entry("general.architecture", 5)], []),
        gguf([], []),
    ],
)
def test_impossible_numbers_are_refused(content: bytes, tmp_path: Path) -> None:
    refusal(tmp_path / "huge.gguf", content + b"\0" * 100)


def test_a_header_without_end_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "sparse.gguf"
    path.write_bytes(gguf([entry("k", STRING_ARRAY + u64(2**26))], []))
    os.truncate(path, 2**40)
    with pytest.raises(GgufError, match="damaged"):
        read_header(path)


def test_refusals_name_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    assert "is empty" in refusal(path, b"")
    assert "not a GGUF file" in refusal(path, b"PK\x03\x04 a zip archive")
    assert "version 1" in refusal(path, gguf([ARCHITECTURE], [], version=1))
    assert "big-endian" in refusal(path, gguf([ARCHITECTURE], [], version=0x03000000))
    assert "incomplete" in refusal(path, gguf([ARCHITECTURE], [tensor("w", (2**20,), 0, 0)], b"\0" * 64))


def test_missing_and_odd_paths(tmp_path: Path) -> None:
    for gone in (tmp_path / "gone.gguf", tmp_path / "no" / "such.gguf"):
        with pytest.raises(GgufError) as caught:
            read_header(gone)
        assert caught.value.problem.code is ProblemCode.MODEL_MISSING
    os.mkfifo(tmp_path / "pipe.gguf")
    for odd in (tmp_path, tmp_path / "pipe.gguf", Path("nul\0byte.gguf")):
        with pytest.raises(GgufError) as caught:
            read_header(odd)
        assert caught.value.problem.code is ProblemCode.MODEL_INVALID


def test_header_is_immutable(starter_model: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_header(starter_model).name = "other"  # type: ignore[misc]
