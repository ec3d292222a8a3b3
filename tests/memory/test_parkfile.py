"""A park file is proven whole before anything of it is used, however it was damaged."""

from __future__ import annotations

import mmap
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tui_chat.chat.model import ProblemCode
from tui_chat.memory.parkfile import (
    KvIdentity,
    ParkError,
    ParkHeader,
    ParkLabel,
    Span,
    file_size,
    open_park,
    pack_tokens,
    read_park_header,
    write_park,
)
from tui_chat.memory.samples import sample_weights
from tui_chat.wire.plan import KvType

IDENTITY = KvIdentity(
    fingerprint="abc",
    weights="def",
    backend="llama-cpp-python 0.0.0",
    kv_type=KvType.F16,
    flash_attention=True,
    window=0,
    recurrent=False,
)
PAYLOAD = random.Random(1).randbytes(5000)
HEADER = ParkHeader(
    identity=IDENTITY,
    label=ParkLabel("a model", "a-session"),
    parked=datetime.now(UTC),
    packed=pack_tokens([1, 2, 3, 70_000, 5]),
    state=4000,
    checkpoints=(Span(2, 600), Span(4, 400)),
)


def _fill(room: mmap.mmap, offset: int) -> bool:
    room[offset:] = PAYLOAD
    return True


@pytest.fixture
def park(tmp_path: Path) -> Path:
    path = tmp_path / "a.park"
    path.touch()
    assert write_park(str(path), HEADER, _fill) == file_size(HEADER) == path.stat().st_size
    return path


def test_what_was_parked_comes_back(park: Path) -> None:
    assert read_park_header(park) == HEADER
    with open_park(str(park)) as parked:
        assert parked.header.tokens.tolist() == [1, 2, 3, 70_000, 5]
        assert parked.map[parked.offset :] == PAYLOAD


def test_any_damage_is_found(park: Path) -> None:
    whole = park.read_bytes()
    draw = random.Random(2)
    damaged = [whole[: draw.randrange(len(whole))] for _ in range(50)] + [b"", whole + b"x", b"\0" * 9000]
    meaningful = len(whole) - len(PAYLOAD) - 64  # the padding before the payload says nothing
    places = [*range(meaningful), *draw.sample(range(len(whole) - len(PAYLOAD), len(whole)), 300)]
    for at in places:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    for data in damaged:
        park.write_bytes(data)
        with pytest.raises(ParkError) as caught, open_park(str(park)):
            pytest.fail("a damaged file was lent")
        assert caught.value.problem.code is ProblemCode.PARK_INVALID


def test_links_folders_and_pipes_are_no_park_files(park: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link.park", tmp_path / "pipe.park"
    link.symlink_to(park)
    os.mkfifo(pipe)
    for path in (link, pipe, tmp_path, tmp_path / "missing.park"):
        with pytest.raises(ParkError):
            read_park_header(path)


def test_what_is_no_empty_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("a conversation")
    with pytest.raises(ParkError):
        write_park(str(path), HEADER, _fill)
    assert path.read_text() == "a conversation"
    with pytest.raises(OSError, match="missing"):
        write_park(str(tmp_path / "missing"), HEADER, _fill)


def test_a_writer_that_was_stopped_leaves_no_park_file(tmp_path: Path) -> None:
    path = tmp_path / "a.park"
    path.touch()

    def give_up(room: mmap.mmap, offset: int) -> bool:
        _fill(room, offset)
        return False

    with pytest.raises(ParkError):
        write_park(str(path), HEADER, give_up)
    with pytest.raises(ParkError):
        read_park_header(path)
    for asked in (1, 2):  # before there is room, and before it is proven
        path.write_bytes(b"")
        answers = iter([False] * (asked - 1) + [True])
        with pytest.raises(ParkError, match="given up"):
            write_park(str(path), HEADER, _fill, lambda answers=answers: next(answers))
        with pytest.raises(ParkError):
            read_park_header(path)


def test_reuse_goes_back_to_checkpoints_where_a_cache_cannot_be_cut_off() -> None:
    assert [HEADER.reusable(common) for common in (0, 1, 3, 5, 9)] == [0, 1, 3, 5, 5]
    for change in ({"window": 64}, {"recurrent": True}):
        identity = msgspec.structs.replace(IDENTITY, **change)
        header = msgspec.structs.replace(HEADER, identity=identity)
        assert [header.reusable(common) for common in (0, 1, 3, 4, 5, 9)] == [0, 0, 2, 4, 5, 5]


def test_weights_are_told_apart_where_headers_are_not(tmp_path: Path) -> None:
    model = tmp_path / "a.gguf"
    model.write_bytes(random.Random(1).randbytes(1 << 20))
    first = sample_weights(model)
    assert sample_weights(model) == first
    model.write_bytes(random.Random(1).randbytes(1 << 19) + random.Random(2).randbytes(1 << 19))
    assert sample_weights(model) != first

    for part in (1, 2):
        (tmp_path / f"b-0000{part}-of-00002.gguf").write_bytes(b"x" * part)
    split = sample_weights(tmp_path / "b-00001-of-00002.gguf")
    (tmp_path / "b-00002-of-00002.gguf").write_bytes(b"yy")
    assert sample_weights(tmp_path / "b-00001-of-00002.gguf") != split
