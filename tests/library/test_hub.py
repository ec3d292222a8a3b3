"""Getting models from a hub: over lines that break, with files that are wrong and doors that are closed."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.homes import ELSEWHERE
from tests.library.gguf_maker import make_gguf
from tests.library.hub_server import COMMIT, HubServer
from tests.library.places import cache_in_hub
from tui_chat.chat.model import ProblemCode
from tui_chat.library import download
from tui_chat.library.errors import DownloadCancelledError, DownloadError
from tui_chat.library.hub.choices import Choice, choices_of
from tui_chat.library.hub.fetch import cached_path, fetch_choice, part_of
from tui_chat.library.hub.repository import Repository, read_repository
from tui_chat.memory.gguf import read_header

NAME = "acme/wise-GGUF"
FILE = "wise-Q8_0.gguf"


@dataclasses.dataclass(frozen=True)
class Place:
    """A hub that has one model, and a models folder to fill."""

    hub: HubServer
    folder: Path

    @property
    def target(self) -> Path:
        return self.folder / NAME / FILE

    def read(self) -> Repository:
        return read_repository(NAME)

    def choice(self, repository: Repository) -> Choice:
        (choice,) = choices_of(repository)
        return choice

    @property
    def part(self) -> Path:
        repository = self.read()
        return part_of(repository.files[0], self.target)

    def fetch(self, cancel: threading.Event | None = None) -> Path:
        repository = self.read()
        return fetch_choice(repository, self.choice(repository), self.folder, lambda *_: None, cancel)

    def refusal(self) -> DownloadError:
        with pytest.raises(DownloadError) as caught:
            self.fetch()
        assert caught.value.problem.remedy
        return caught.value

    def files(self) -> list[str]:
        return sorted(path.name for path in self.target.parent.iterdir())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    content = make_gguf(tmp_path / "m.gguf", weights=300_000).read_bytes()
    with HubServer({FILE: content}) as hub:
        for variable in (*ELSEWHERE, "HTTP_PROXY", "http_proxy", "XDG_CACHE_HOME"):
            monkeypatch.delenv(variable, raising=False)
        for variable, value in hub.environ.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("HOME", str(tmp_path))
        yield Place(hub, tmp_path / "models")


def test_model_arrives_whole_below_its_owner_with_progress(place: Place) -> None:
    told: list[tuple[int, int, str]] = []
    repository = place.read()
    assert repository.commit == COMMIT
    path = fetch_choice(repository, place.choice(repository), place.folder, lambda *step: told.append(step))
    assert path == place.target
    assert read_header(path).parameters == 300_000
    assert place.files() == [FILE]
    assert list(dict.fromkeys(stage for *_, stage in told)) == ["Fetching", "Checking"]
    size = len(place.hub.files[FILE])
    assert (size, size, "Fetching") in told
    assert all(done <= total == size for done, total, _ in told)
    assert place.hub.agents == {"tui-chat"}


def test_whole_model_is_left_alone_and_a_changed_one_replaced(place: Place) -> None:
    path = place.fetch()
    place.hub.ranges.clear()
    assert place.fetch() == path
    assert place.hub.ranges == []
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    place.fetch()
    assert path.read_bytes() == place.hub.files[FILE]


def test_broken_line_is_mended_where_it_broke(place: Place) -> None:
    place.hub.cuts = [400_000, 300_000]
    assert place.fetch().is_file()
    assert place.hub.ranges == ["", "bytes=400000-", "bytes=700000-"]


def test_next_try_goes_on_after_a_dead_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TRIES", 1)
    place.hub.cuts = [500_000]
    problem = place.refusal().problem
    assert "broke" in problem.what
    assert problem.kept.startswith("489 KiB are kept")
    assert f"tui-chat models get hf:{NAME}/{FILE}" in problem.remedy
    assert place.files() == [place.part.name]
    assert place.fetch().is_file()
    assert place.hub.ranges == ["", "bytes=500000-"]
    assert place.files() == [FILE]


def test_busy_cdn_is_asked_again_and_costs_nothing_that_came(place: Place) -> None:
    place.hub.cuts = [500_000]
    place.hub.cdn_answers = [HTTPStatus.SERVICE_UNAVAILABLE]
    place.fetch()
    assert place.hub.ranges == ["", "", "bytes=500000-"]
    place.target.unlink()
    place.hub.ranges.clear()
    place.part.write_bytes(place.hub.files[FILE][:600_000])
    place.hub.cdn_answers = [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY]
    place.fetch()
    assert place.hub.ranges == ["bytes=600000-"] * 3


def test_closed_door_halfway_keeps_what_came(place: Place) -> None:
    place.target.parent.mkdir(parents=True)
    place.part.write_bytes(place.hub.files[FILE][:600_000])
    place.hub.cdn_answers = [HTTPStatus.FORBIDDEN]
    assert "does not let you have" in place.refusal().problem.what
    assert place.part.stat().st_size == 600_000


def test_cancelling_keeps_what_came(place: Place) -> None:
    cancel = threading.Event()
    place.hub.pause_at = 500_000

    def stop_midway() -> None:
        place.hub.paused.wait()
        cancel.set()
        place.hub.go_on.set()

    repository = place.read()
    stopper = threading.Thread(target=stop_midway)
    stopper.start()
    with pytest.raises(DownloadCancelledError):
        fetch_choice(repository, place.choice(repository), place.folder, lambda *_: None, cancel)
    stopper.join()
    have = place.part.stat().st_size
    assert 0 < have < len(place.hub.files[FILE])
    assert place.fetch().is_file()
    assert place.hub.ranges[-1] == f"bytes={have}-"


def test_hub_without_ranges_starts_over(place: Place) -> None:
    place.hub.resumes = False
    place.hub.cuts = [500_000]
    assert place.fetch().read_bytes() == place.hub.files[FILE]


def test_wrong_bytes_are_refused_and_thrown_away(place: Place) -> None:
    place.hub.promised[FILE] = "0" * 64
    error = place.refusal()
    assert error.problem.code is ProblemCode.DOWNLOAD_FAILED
    assert "checksum differs" in error.problem.what
    assert place.files() == []


def test_rotten_part_is_thrown_away_and_fetched_again(place: Place) -> None:
    place.target.parent.mkdir(parents=True)
    for rotten in (b"x" * 1000, b"x" * 2_000_000):
        place.part.write_bytes(rotten)
        assert place.fetch().read_bytes() == place.hub.files[FILE]
        place.target.unlink()


def test_part_of_an_older_version_is_not_continued(place: Place) -> None:
    place.target.parent.mkdir(parents=True)
    old = place.target.with_name(f"{FILE}.{'1' * 12}.part")
    old.write_bytes(b"x" * 1000)
    place.fetch()
    assert place.hub.ranges == [""]
    assert place.files() == [FILE]


def test_split_model_comes_whole_and_goes_on_in_the_middle(place: Place, tmp_path: Path) -> None:
    parts = [f"Q8_0/big-Q8_0-0000{n}-of-00002.gguf" for n in (1, 2)]
    place.hub.files = {
        path: make_gguf(tmp_path / path, weights=100_000 * n).read_bytes()
        for n, path in enumerate(parts, start=1)
    }
    told: list[tuple[int, int, str]] = []
    place.hub.cuts = [10**9, 300_000]
    repository = place.read()
    choice = place.choice(repository)
    path = fetch_choice(repository, choice, place.folder, lambda *step: told.append(step))
    assert path == place.folder / NAME / parts[0]
    assert place.hub.ranges == ["", "", "bytes=300000-"]
    fetched = [(done, total) for done, total, stage in told if stage == "Fetching"]
    assert fetched == sorted(fetched)
    assert fetched[-1] == (choice.size, choice.size)
    for each in parts:
        assert (place.folder / NAME / each).read_bytes() == place.hub.files[each]


def test_token_goes_to_the_hub_and_to_nobody_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.hub.token = "hf_secret"
    gated = place.refusal().problem
    assert "gated" in gated.what
    assert "hf auth login" in gated.remedy
    assert "HF_TOKEN" in gated.remedy
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert place.fetch().is_file()
    assert place.hub.strangers == []
    assert "hf_secret" not in repr(place.read().remote(place.read().files[0]))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (HTTPStatus.FORBIDDEN, "does not let you have"),
        (HTTPStatus.UNAUTHORIZED, "has no repository"),
        (HTTPStatus.NOT_FOUND, "has no repository"),
        (HTTPStatus.TOO_MANY_REQUESTS, "too many requests"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "answered 503"),
        (b"<html>a login page</html>", "no list of files"),
        (b'["not", "a", "repository"]', "no list of files"),
        (b'{"id": "x", "sha": null, "siblings": []}', "no list of files"),
        (b'{"siblings": 5}', "no list of files"),
    ],
)
def test_what_the_hub_refuses_is_told(place: Place, answer: HTTPStatus | bytes, said: str) -> None:
    place.hub.api_answer = answer
    assert said in place.refusal().problem.what


def test_token_that_is_not_valid_is_told(place: Place) -> None:
    place.hub.api_answer = HTTPStatus.UNAUTHORIZED
    place.hub.complaint = "Invalid credentials in Authorization header"
    assert "does not know your token" in place.refusal().problem.what


def test_unknown_repository_is_told(place: Place) -> None:
    with pytest.raises(DownloadError, match="has no repository acme/other"):
        read_repository("acme/other")


def test_no_hub_and_no_network_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert "cannot be reached" in place.refusal().problem.what


def test_silent_hub_is_not_waited_for_forever(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.library.hub.repository.TIMEOUT_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "gave no answer for 0.2 s" in place.refusal().problem.what


def test_list_without_sizes_is_completed_file_by_file(place: Place) -> None:
    place.hub.blobs = False
    (file,) = place.read().files
    assert (file.size, file.sha256) == (len(place.hub.files[FILE]), place.hub.hash(FILE))
    assert place.fetch().is_file()


def test_full_disk_is_seen_before_the_download(place: Place) -> None:
    repository = place.read()
    huge = dataclasses.replace(repository.files[0], size=10**18)
    with pytest.raises(DownloadError, match=r"iB free, and 909494\.7 TiB"):
        fetch_choice(repository, Choice("Q8_0", "wise", (huge,)), place.folder, lambda *_: None)
    assert place.hub.ranges == []


def test_disk_that_fills_up_is_told_and_the_rest_kept(place: Place) -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, before[0][1]))
    try:
        problem = place.refusal().problem
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[0])
        signal.signal(signal.SIGXFSZ, before[1])
    assert "cannot be written to" in problem.what
    assert problem.kept
    place.fetch()
    assert place.hub.ranges[-1].startswith("bytes=")


def test_unwritable_folder_is_told(place: Place) -> None:
    place.folder.write_text("a file where the folder should be")
    assert "cannot be written" in place.refusal().problem.what


def test_second_terminal_is_told_to_wait(place: Place) -> None:
    place.hub.cuts = [100_000]
    seen: list[str] = []

    def meanwhile(done: int, total: int, stage: str) -> None:
        if stage == "Fetching" and not seen:
            seen.append(place.refusal().problem.what)

    repository = place.read()
    assert fetch_choice(repository, place.choice(repository), place.folder, meanwhile).is_file()
    assert seen == [f"Another terminal is fetching {FILE} already."]


def test_model_in_the_hugging_face_cache_is_not_fetched(place: Place, tmp_path: Path) -> None:
    repository = place.read()
    assert cached_path(repository, place.choice(repository)) is None
    hub = tmp_path / ".cache" / "huggingface" / "hub"
    link = cache_in_hub(hub, NAME, COMMIT, tmp_path / "m.gguf", FILE, main=True)
    assert cached_path(repository, place.choice(repository)) == link
    os.truncate(link, 5)
    assert cached_path(repository, place.choice(repository)) is None


def test_names_that_lead_out_of_the_folder_are_no_files(place: Place) -> None:
    content = place.hub.files[FILE]
    place.hub.files |= {"../../evil.gguf": content, "/etc/evil.gguf": content, "a\\..\\evil.gguf": content}
    place.hub.files |= {"evil\x1b[2J.gguf": content, "README.md": b"x"}
    assert [file.path for file in place.read().files] == [FILE]
