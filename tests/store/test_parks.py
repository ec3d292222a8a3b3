"""Parked caches stay within their budgets, outlive what they should, and are never taken for another's."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.memory.test_parkfile import IDENTITY
from tui_chat.memory.parkfile import ParkHeader, ParkLabel, file_size, open_park, pack_tokens, write_park
from tui_chat.store.parks.disk import usual_limit
from tui_chat.store.parks.entries import ParkEntry, Place
from tui_chat.store.parks.shelf import Shelf

SIZE = 100_000
MUCH = 100 * SIZE


def _header(
    tokens: list[int], identity: object = IDENTITY, model: str = "A", saves_s: float = 0.0, size: int = SIZE
) -> ParkHeader:
    return ParkHeader(
        identity=identity,
        label=ParkLabel(model, saves_s=saves_s),
        parked=datetime.now(UTC),
        packed=pack_tokens(tokens),
        state=size,
    )


def _park(shelf: Shelf, tokens: list[int], **about: object) -> ParkEntry | None:
    header = _header(tokens, **about)
    slot = shelf.slot(file_size(header), header.label.saves_s)
    if slot is None:
        return None

    def fill(room: mmap.mmap, offset: int) -> bool:
        room[offset:] = bytes([tokens[0]]) * header.state
        return True

    write_park(slot.path, header, fill)
    return shelf.put(slot, header)


def _story(number: int, length: int = 50) -> list[int]:
    return [number, *range(100, 99 + length)]


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "kv"


def _shelf(folder: Path, ram: int = MUCH, disk: int = MUCH) -> Shelf:
    return Shelf(folder, ram, disk, lambda: MUCH)


def test_the_newest_are_in_ram_and_the_others_on_disk_within_both_budgets(folder: Path) -> None:
    before = _open_descriptors()
    shelf = _shelf(folder, ram=int(2.5 * SIZE), disk=int(3.5 * SIZE))
    for number in range(1, 8):
        assert _park(shelf, _story(number))
        shelf.trim()
    kept = [(entry.header.tokens[0], entry.place) for entry in shelf.entries]
    assert kept == [(3, Place.DISK), (4, Place.DISK), (5, Place.DISK), (6, Place.RAM), (7, Place.RAM)]
    assert shelf.taken(Place.RAM) <= 2.5 * SIZE
    assert sum(path.stat().st_size for path in folder.iterdir()) == shelf.taken(Place.DISK) <= 3.5 * SIZE
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    for entry in shelf.entries:
        with open_park(entry.path) as parked:
            assert parked.map[-SIZE:] == bytes([entry.header.tokens[0]]) * SIZE
    assert shelf.clear().entries
    assert list(folder.iterdir()) == []
    assert _open_descriptors() == before


def test_what_was_of_use_stays_longer(folder: Path) -> None:
    shelf = _shelf(folder, ram=0, disk=int(2.5 * SIZE))
    first, _ = _park(shelf, _story(1)), _park(shelf, _story(2))
    assert first is not None
    shelf.touch(first)
    _park(shelf, _story(3))
    assert {entry.header.tokens[0] for entry in shelf.entries} == {1, 3}


def test_leaving_brings_ram_to_disk_and_the_next_engine_finds_it(folder: Path) -> None:
    shelf = _shelf(folder)
    for number in (1, 2):
        _park(shelf, _story(number))
    assert not folder.exists()
    shelf.close()
    later = _shelf(folder)
    assert [(entry.header.tokens[0], entry.place) for entry in later.entries] == [
        (1, Place.DISK),
        (2, Place.DISK),
    ]
    found = later.best(IDENTITY, (*_story(2), 7, 8), 1000)
    assert found is not None
    assert found[1] == 50


def test_a_killed_engine_leaves_no_ram_and_no_half_files(folder: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.store.test_parks import _park, _shelf, _story\n"
        "from tui_chat.store.parks.disk import create_temporary\n"
        "ram, disk = _shelf(Path(sys.argv[1])), _shelf(Path(sys.argv[1]), ram=0)\n"
        "_park(ram, _story(1)); _park(disk, _story(2)); create_temporary(Path(sys.argv[1]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, folder], check=False)
    assert killed.returncode == -9
    assert len(list(folder.iterdir())) == 2
    assert [entry.header.tokens[0] for entry in _shelf(folder).entries] == [2]
    assert len(list(folder.iterdir())) == 1


def test_damaged_files_are_removed_and_foreign_ones_ignored(folder: Path, tmp_path: Path) -> None:
    shelf = _shelf(folder, ram=0)
    cut, whole = _park(shelf, _story(1)), _park(shelf, _story(2))
    assert cut is not None
    assert whole is not None
    os.truncate(cut.path, 500)
    (folder / "zeros.park").write_bytes(b"\0" * 5000)
    (folder / "notes.txt").write_text("somebody's")
    (tmp_path / "elsewhere").write_text("not ours")
    (folder / "link.park").symlink_to(tmp_path / "elsewhere")
    assert [entry.id for entry in _shelf(folder, ram=0).entries] == [whole.id]
    assert {path.name for path in folder.iterdir()} == {f"{whole.id}.park", "notes.txt", "link.park"}
    assert (tmp_path / "elsewhere").read_text() == "not ours"


def test_only_a_park_that_matches_in_everything_is_found(folder: Path) -> None:
    shelf = _shelf(folder)
    _park(shelf, _story(1))
    prompt = (*_story(1), 7)
    assert shelf.best(IDENTITY, prompt, 1000) is not None
    assert shelf.best(IDENTITY, prompt, 49) is None
    assert shelf.best(IDENTITY, tuple(_story(9)), 1000) is None
    for change in (
        {"fingerprint": "x"},
        {"weights": "x"},
        {"kv_type": "q8_0"},
        {"flash_attention": False},
        {"window": 64},
        {"recurrent": True},
    ):
        assert shelf.best(msgspec.structs.replace(IDENTITY, **change), prompt, 1000) is None, change
    assert len(shelf.entries) == 1
    assert shelf.best(msgspec.structs.replace(IDENTITY, backend="newer"), prompt, 1000) is None
    assert shelf.entries == (), "no library that is installed can read it any more"


def test_the_best_beginning_is_found_and_a_longer_park_replaces_a_shorter(folder: Path) -> None:
    shelf = _shelf(folder)
    _park(shelf, _story(1, 50))
    _park(shelf, [*_story(1, 40), 7, 7])
    found = shelf.best(IDENTITY, (*_story(1, 41), 9), 1000)
    assert found is not None
    assert found[1] == 41
    assert found[0].header.count == 50
    exactly = shelf.best(IDENTITY, tuple(_story(1, 50)), 1000)
    assert exactly is not None
    assert exactly[1] == 49, "one token is left to evaluate"
    _park(shelf, _story(1, 60))
    assert sorted(entry.header.count for entry in shelf.entries) == [42, 60]


def test_a_full_disk_is_left_its_floor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _shelf(folder, ram=int(1.5 * SIZE))
    monkeypatch.setattr("tui_chat.store.parks.disk.FLOOR_BYTES", 1 << 60)
    assert _park(shelf, _story(1))
    assert _park(shelf, _story(2)), "RAM still has room"
    shelf.trim()  # what cannot move to disk is dropped
    assert [entry.header.tokens[0] for entry in shelf.entries] == [2]
    assert shelf.slot(2 * SIZE) is None
    assert not folder.exists() or list(folder.iterdir()) == []


def test_short_memory_sends_parks_to_disk_at_once(folder: Path) -> None:
    shelf = Shelf(folder, MUCH, MUCH, lambda: SIZE // 2)
    entry = _park(shelf, _story(1))
    assert entry is not None
    assert entry.place is Place.DISK


def test_clearing_one_model_leaves_the_others(folder: Path) -> None:
    shelf = _shelf(folder)
    for number, model in ((1, "SmolLM2-135M"), (2, "gemma-3-4b")):
        _park(shelf, _story(number), model=model)
    gone = shelf.clear("smollm2")
    assert [entry.model for entry in gone.entries] == ["SmolLM2-135M"]
    assert [entry.model for entry in shelf.describe().entries] == ["gemma-3-4b"]


def test_what_saves_the_most_for_its_bytes_stays_and_time_takes_its_worth_away(folder: Path) -> None:
    shelf = _shelf(folder, ram=0, disk=int(2.5 * SIZE))
    dear, cheap = _park(shelf, _story(1), saves_s=60.0), _park(shelf, _story(2), saves_s=1.0)
    assert dear is not None
    assert cheap is not None
    assert _park(shelf, _story(3), saves_s=30.0)
    assert {entry.header.tokens[0] for entry in shelf.entries} == {1, 3}
    assert _park(shelf, _story(4), saves_s=0.5) is None, "less than what would have to go for it"
    assert len(shelf.entries) == 2

    weeks_ago = time.time() - 30 * 86400
    os.utime(dear.path, (weeks_ago, weeks_ago))
    later = _shelf(folder, ram=0, disk=int(2.5 * SIZE))
    assert _park(later, _story(5), saves_s=1.0)
    assert {entry.header.tokens[0] for entry in later.entries} == {3, 5}, "nobody came back to it for long"


def test_bringing_ram_to_disk_can_be_given_up_at_any_piece(folder: Path) -> None:
    shelf = _shelf(folder, ram=int(1.5 * SIZE))
    for number in (1, 2):
        assert _park(shelf, _story(number))
    assert shelf.overfull
    shelf.trim(stop=lambda: True)
    assert [entry.place for entry in shelf.entries] == [Place.RAM, Place.RAM]
    assert list(folder.iterdir()) == [], "half a copy is no park"
    shelf.trim()
    assert [entry.place for entry in shelf.entries] == [Place.DISK, Place.RAM]
    assert not shelf.overfull


def test_a_park_too_large_for_the_ram_budget_passes_through_it(folder: Path) -> None:
    shelf = _shelf(folder, ram=2 * SIZE)
    assert _park(shelf, _story(1))
    large = _park(shelf, _story(2), size=3 * SIZE)
    assert large is not None
    assert large.place is Place.RAM, "nobody waits for the disk"
    shelf.trim()
    assert [(entry.header.tokens[0], entry.place) for entry in shelf.entries] == [
        (1, Place.RAM),
        (2, Place.DISK),
    ]


def test_ram_is_given_back_to_a_model_and_the_newest_park_stays(folder: Path) -> None:
    shelf = _shelf(folder)
    for number in (1, 2, 3):
        assert _park(shelf, _story(number))
    shelf.give_ram_back(SIZE + SIZE // 2)
    assert [entry.place for entry in shelf.entries] == [Place.DISK, Place.DISK, Place.RAM]


@pytest.mark.parametrize(
    ("free_gib", "gib"), [(5, 1), (50, 5), (200, 20), (2000, 32)], ids=["small", "usual", "large", "huge"]
)
def test_unless_said_parks_take_a_tenth_of_what_is_free(free_gib: int, gib: int) -> None:
    assert usual_limit(free_gib << 30) == gib << 30
