"""Which files are offered as models, under which names, and which one a few letters mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.library.gguf_maker import make_gguf
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.paths import resolve_paths
from tui_chat.config.settings import ModelSettings, PathSettings, Settings
from tui_chat.library.scan import find_model, list_models
from tui_chat.wire.api import ModelInfo, ModelSource, ModelState


def scan_folders(folders: list[Path]) -> list[ModelInfo]:
    """List what is below `folders`, and nowhere else on this machine."""
    settings = ModelSettings(folders=tuple(map(str, folders)), sources=(ModelSource.OWN, ModelSource.FOLDERS))
    cache = folders[0] / ".cache"
    paths = resolve_paths(PathSettings(models=str(folders[0]), cache=str(cache)))
    return list_models(paths, Settings(models=settings))


def aged(path: Path, seconds: int) -> Path:
    """Make `path` older than everything else by `seconds`."""
    os.utime(path, (1_700_000_000 - seconds, 1_700_000_000 - seconds))
    return path


def ids(folder: Path) -> list[str]:
    return [info.id for info in scan_folders([folder])]


def refused(infos: list[ModelInfo], wanted: str) -> Problem:
    found = find_model(infos, wanted)
    assert isinstance(found, Problem)
    return found


def named(*names: str) -> list[ModelInfo]:
    return [ModelInfo(id=n, path=f"/m/{n}.gguf", size_bytes=1, state=ModelState.ON_DISK) for n in names]


def test_real_model_is_offered(starter_model: Path) -> None:
    (info,) = (i for i in scan_folders([starter_model.parent]) if i.path == str(starter_model))
    assert (info.state, info.architecture, info.quant) == (ModelState.ON_DISK, "llama", "Q4_1")
    assert (info.parameters, info.trained_context) == (134_515_008, 8192)
    assert info.size_bytes == starter_model.stat().st_size


def test_newest_first_and_broken_last(tmp_path: Path) -> None:
    aged(make_gguf(tmp_path / "old.gguf"), 100)
    aged(make_gguf(tmp_path / "deep" / "er" / "new.GGUF"), 10)
    (tmp_path / "torn.gguf").write_bytes(b"GGUF")
    (tmp_path / "download.gguf.part").write_bytes(b"GGUF")
    infos = scan_folders([tmp_path, tmp_path / "missing"])
    assert [i.id for i in infos] == ["new", "old", "torn"]
    assert infos[2].state is ModelState.BROKEN
    assert infos[2].problem is not None
    assert infos[2].problem.code is ProblemCode.MODEL_INVALID


def test_split_model_is_one(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        make_gguf(tmp_path / f"big-0000{number}-of-00003.gguf", weights=100 * number)
    (info,) = scan_folders([tmp_path])
    assert (info.id, info.parameters, info.state) == ("big", 600, ModelState.ON_DISK)
    assert info.path.endswith("big-00001-of-00003.gguf")
    assert info.size_bytes == sum(file.stat().st_size for file in tmp_path.glob("*.gguf"))
    assert find_model([info], info.path) == info
    for part in (info.path, info.path.replace("00001", "00002", 1)):
        named = find_model([], part)
        assert isinstance(named, ModelInfo)
        assert (named.path, named.parameters, named.size_bytes) == (info.path, 600, info.size_bytes)
    (tmp_path / "big-00002-of-00003.gguf").unlink()
    (info,) = scan_folders([tmp_path])
    assert info.state is ModelState.BROKEN
    assert info.problem is not None
    assert "missing: 2" in info.problem.what


def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    make_gguf(tmp_path / "blobs" / "real.gguf")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "link.gguf").symlink_to(tmp_path / "blobs" / "real.gguf")
    (tmp_path / "models" / "gone.gguf").symlink_to(tmp_path / "nowhere.gguf")
    (tmp_path / "models" / "loop").symlink_to(tmp_path / "models")
    (tmp_path / "models" / "self.gguf").symlink_to("self.gguf")
    assert ids(tmp_path / "models") == ["link"]
    both = scan_folders([tmp_path / "models", tmp_path / "blobs"])
    assert [info.id for info in both] == ["link"]


def test_names_stay_unique(tmp_path: Path) -> None:
    for place in ("a/x/m.gguf", "b/x/m.gguf", "c/m.gguf"):
        make_gguf(tmp_path / place)
    infos = scan_folders([tmp_path])
    assert {info.id for info in infos} == {"m", "x/m", "c/m"}
    assert [find_model(infos, info.id) for info in infos] == infos


def test_a_replaced_file_is_read_again(tmp_path: Path) -> None:
    path = make_gguf(tmp_path / "m.gguf", weights=64)
    assert scan_folders([tmp_path])[0].parameters == 64
    make_gguf(path, weights=128)
    assert scan_folders([tmp_path])[0].parameters == 128
    path.write_bytes(b"")
    assert scan_folders([tmp_path])[0].state is ModelState.BROKEN


def test_own_folder_comes_first_and_home_is_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    make_gguf(tmp_path / "llm" / "m.gguf")
    make_gguf(tmp_path / "mine" / "m.gguf")
    settings = Settings(
        paths=PathSettings(models=str(tmp_path / "mine"), cache=str(tmp_path / "cache")),
        models=ModelSettings(
            folders=("~/llm", "~nobody-by-this-name/llm", "/proc/version/llm"),
            sources=(ModelSource.FOLDERS, ModelSource.OWN),
        ),
    )
    found = {info.id: info.source for info in list_models(resolve_paths(settings.paths), settings)}
    assert found == {"m": ModelSource.OWN, "llm/m": ModelSource.FOLDERS}


def test_a_name_that_cannot_be_sent_is_told(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.gguf")
    make_gguf(odd)
    (info,) = scan_folders([tmp_path])
    assert (info.id, info.state) == ("caf\\xe9", ModelState.BROKEN)
    assert info.problem is not None
    assert "not valid UTF-8" in info.problem.what


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("Qwen3-4B-Q8_0", "Qwen3-4B-Q8_0"),
        ("qwen3-4b-q8_0", "Qwen3-4B-Q8_0"),
        ("qwen3-14", "Qwen3-14B-Q4_K_M"),
        ("smol", "SmolLM2-135M"),
        ("q8_0", "Qwen3-4B-Q8_0"),
        ("lm2", "SmolLM2-135M"),
    ],
)
def test_a_few_letters_are_enough(wanted: str, meant: str) -> None:
    found = find_model(named("Qwen3-4B-Q8_0", "Qwen3-14B-Q4_K_M", "SmolLM2-135M"), wanted)
    assert isinstance(found, ModelInfo)
    assert found.id == meant


def test_doubt_and_slips_are_answered(tmp_path: Path) -> None:
    infos = named("Qwen3-4B", "Qwen3-14B", "SmolLM2-135M")
    ambiguous = refused(infos, "qwen")
    assert ambiguous.code is ProblemCode.MODEL_UNKNOWN
    assert "Qwen3-4B, Qwen3-14B" in ambiguous.what
    assert "Did you mean SmolLM2-135M?" in refused(infos, "smolm2-135").remedy
    assert "Qwen3-4B, Qwen3-14B, SmolLM2-135M" in refused(infos, "zzz").remedy
    assert refused(infos, "").code is ProblemCode.MODEL_UNKNOWN
    assert refused([], "any").code is ProblemCode.NO_MODEL
    assert "models get starter" in refused([], "any").remedy


def test_paths_name_models_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_gguf(tmp_path / "elsewhere" / "m.gguf")
    monkeypatch.chdir(tmp_path)
    for wanted in (str(path), "elsewhere/m.gguf", "./elsewhere/../elsewhere/m.gguf"):
        found = find_model([], wanted)
        assert isinstance(found, ModelInfo)
        assert path.samefile(found.path)
    infos = scan_folders([tmp_path])
    assert find_model(infos, str(path)) == infos[0]
    assert refused(infos, str(tmp_path / "gone.gguf")).code is ProblemCode.MODEL_MISSING
    assert refused(infos, "~nobody-by-this-name/m.gguf").code is ProblemCode.MODEL_MISSING
    assert refused(infos, "/nul\0.gguf").code is ProblemCode.MODEL_INVALID
    path.write_bytes(b"no model")
    found = find_model([], str(path))
    assert isinstance(found, ModelInfo)
    assert found.state is ModelState.BROKEN
