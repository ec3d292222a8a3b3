"""The cache of headers: it saves reading, and nothing that happens to it is ever noticed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.library.gguf_maker import make_gguf
from tests.library.places import Place, without_privileges
from tui_chat import __version__
from tui_chat.wire.api import ModelInfo, ModelSource, ModelState

OWN = ModelSource.OWN


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def public() -> Iterator[Place]:
    """A place that others may enter, which pytest's own folders are not."""
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        place = Place(Path(root))
        place.cache.parent.mkdir()
        place.cache.parent.chmod(0o777)
        yield place


def entries(place: Place) -> dict[str, dict[str, object]]:
    return msgspec.msgpack.decode(place.cache.read_bytes())["content"]


def corrupted(file: Path) -> None:
    """Change a file so that only who reads it can know: same size, same time."""
    status = file.stat()
    content = bytearray(file.read_bytes())
    content[:4] = b"XXXX"
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_unchanged_file_is_not_read_again(place: Place) -> None:
    file = make_gguf(place.mine / "m.gguf", weights=100)
    first = place.list(OWN)
    corrupted(file)
    assert place.list(OWN) == first
    place.cache.unlink()
    assert place.list(OWN)[0].state is ModelState.BROKEN


def test_changed_time_or_size_is_read_again(place: Place) -> None:
    file = make_gguf(place.mine / "m.gguf", weights=100)
    place.list(OWN)
    corrupted(file)
    os.utime(file, (1, 1))
    assert place.list(OWN)[0].state is ModelState.BROKEN


def test_broken_files_are_remembered_with_the_reason(place: Place) -> None:
    place.mine.mkdir()
    (place.mine / "torn.gguf").write_bytes(b"GGUF")
    first = place.list(OWN)
    assert first[0].problem is not None
    assert place.list(OWN) == first
    assert len(entries(place)) == 1


def test_vanished_files_drop_out(place: Place) -> None:
    for name in ("a", "b"):
        make_gguf(place.mine / f"{name}.gguf")
    place.list(OWN)
    assert len(entries(place)) == 2
    (place.mine / "a.gguf").unlink()
    make_gguf(place.mine / "c.gguf")
    place.list(OWN)
    assert sorted(Path(path).name for path in entries(place)) == ["b.gguf", "c.gguf"]


def test_other_folders_of_another_config_stay(place: Place) -> None:
    make_gguf(place.mine / "a.gguf")
    place.list(OWN)
    other = Place(place.root / "other")
    make_gguf(other.mine / "b.gguf")
    other.cache.parent.symlink_to(place.cache.parent)
    other.list(OWN)
    assert len(entries(place)) == 2


def rewritten(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda cache: cache.write_bytes(content(cache.read_bytes())) and None


@pytest.mark.parametrize(
    "damage",
    [
        rewritten(lambda old: old[: len(old) // 2]),
        rewritten(lambda _: b""),
        rewritten(lambda _: b"\0" * 1000),
        rewritten(lambda _: msgspec.msgpack.encode({"somebody": "else's"})),
        rewritten(lambda _: msgspec.msgpack.encode({"version": __version__, "content": {"/m.gguf": 5}})),
        rewritten(lambda old: old.replace(f"\xa5{__version__}".encode("latin-1"), b"\xa50.0.0")),
    ],
)
def test_damaged_or_foreign_cache_is_ignored_and_rewritten(
    place: Place, damage: Callable[[Path], None]
) -> None:
    file = make_gguf(place.mine / "m.gguf", weights=100)
    first = place.list(OWN)
    whole = place.cache.read_bytes()
    damage(place.cache)
    assert place.list(OWN) == first
    assert place.cache.read_bytes() == whole
    assert file.exists()


def test_unwritable_cache_fails_nothing(place: Place) -> None:
    make_gguf(place.mine / "m.gguf")
    place.cache.parent.write_text("a file where the folder should be")
    assert [info.id for info in place.list(OWN)] == ["m"]
    place.cache.parent.unlink()
    place.cache.mkdir(parents=True)
    assert [info.id for info in place.list(OWN)] == ["m"]
    assert [path.name for path in place.cache.parent.iterdir()] == [place.cache.name]


def test_full_disk_fails_nothing(place: Place) -> None:
    """A process that may write no byte more lists as well, and leaves no scratch file."""
    make_gguf(place.mine / "m.gguf")
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.library.places import Place\n"
        "from tui_chat.wire.api import ModelSource\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))\n"
        "print([info.id for info in Place(Path(sys.argv[1])).list(ModelSource.OWN)])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(place.root)], capture_output=True, text=True)
    assert done.stdout == "['m']\n", done.stderr
    assert list(place.cache.parent.iterdir()) == []


def test_closed_file_is_told_and_not_remembered(public: Place) -> None:
    file = make_gguf(public.mine / "m.gguf")
    status = file.stat()
    file.chmod(0)
    with without_privileges():
        (info,) = public.list(OWN)
    assert info.problem is not None
    assert "cannot be read" in info.problem.what
    file.chmod(0o644)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with without_privileges():
        assert public.list(OWN)[0].state is ModelState.ON_DISK


def test_closed_folder_is_passed_over(public: Place) -> None:
    make_gguf(public.mine / "open.gguf")
    make_gguf(public.mine / "closed" / "m.gguf").parent.chmod(0)
    with without_privileges():
        assert [info.id for info in public.list(OWN)] == ["open"]
    (public.mine / "closed").chmod(0o700)


def test_two_processes_at_once_leave_a_whole_cache(place: Place) -> None:
    for number in range(40):
        make_gguf(place.mine / f"{number}.gguf", weights=number + 1)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.library.places import Place\n"
        "from tui_chat.wire.api import ModelSource\n"
        "place = Place(Path(sys.argv[1]))\n"
        "for _ in range(20):\n"
        "    assert len(place.list(ModelSource.OWN)) == 40\n"
        "    place.cache.unlink(missing_ok=True)\n"
        "place.list(ModelSource.OWN)\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(place.root)]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert len(entries(place)) == 40
    assert [path.name for path in place.cache.parent.iterdir()] == [place.cache.name]


def test_cached_list_says_the_same(place: Place, starter_model: Path) -> None:
    place.mine.mkdir()
    (place.mine / starter_model.name).symlink_to(starter_model)
    for number in (1, 2):
        make_gguf(place.mine / f"big-0000{number}-of-00002.gguf", weights=number)
    make_gguf(place.mine / "mmproj-big.gguf", architecture="clip")
    cold: list[ModelInfo] = place.list(OWN, everything=True)
    assert len(cold) == 3
    assert place.list(OWN, everything=True) == cold
