"""Models of other programs are found where those programs keep them, once each, by their best names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.homes import ELSEWHERE, Home
from tests.library.gguf_maker import make_gguf
from tests.library.places import Place, add_to_ollama, cache_in_hub
from tui_chat.chat.model import Problem
from tui_chat.library.scan import find_model
from tui_chat.wire.api import ModelSource, ModelState

OLD, NEW, NEWER = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (*ELSEWHERE, "XDG_CACHE_HOME", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return Place(tmp_path)


def spare(place: Place, weights: int) -> Path:
    """A GGUF file outside every source."""
    return make_gguf(place.root / "spare" / f"{weights}.gguf", weights=weights)


def test_hub_cache_shows_main_and_no_older_copy(place: Place) -> None:
    cache_in_hub(place.hub, "acme/wise", OLD, spare(place, 10), "wise-Q8_0.gguf", main=False)
    cache_in_hub(place.hub, "acme/wise", OLD, spare(place, 30), "gone-Q8_0.gguf", main=False)
    link = cache_in_hub(place.hub, "acme/wise", NEW, spare(place, 20), "wise-Q8_0.gguf", main=True)
    cache_in_hub(place.hub, "acme/wise", NEWER, spare(place, 40), "wise-Q8_0.gguf", main=False)
    found = place.by_id()
    assert {name: info.parameters for name, info in found.items()} == {"wise-Q8_0": 20, "gone-Q8_0": 30}
    assert found["wise-Q8_0"].path == str(link)
    assert {info.source for info in found.values()} == {ModelSource.HUGGING_FACE}


def test_hub_cache_without_main_shows_the_newest(place: Place) -> None:
    for commit, weights in ((NEW, 10), (OLD, 20)):
        link = cache_in_hub(place.hub, "acme/m", commit, spare(place, weights), "m-Q8_0.gguf", main=False)
        os.utime(link.parent, (weights, weights))
    assert [info.parameters for info in place.list()] == [20]


def test_hub_download_under_way_is_no_model(place: Place) -> None:
    cache_in_hub(place.hub, "acme/m", NEW, spare(place, 10), "m-Q8_0.gguf", main=True)
    blobs = place.hub / "models--acme--m" / "blobs"
    (blobs / f"{'d' * 64}.incomplete").write_bytes(b"GGUF")
    (blobs.parent / "snapshots" / NEW / "later.gguf").symlink_to(blobs / ("d" * 64))
    assert [info.id for info in place.list()] == ["m-Q8_0"]


def test_split_model_in_the_hub_cache_is_one(place: Place) -> None:
    for number in (1, 2):
        name = f"Q8_0/big-Q8_0-0000{number}-of-00002.gguf"
        cache_in_hub(place.hub, "acme/big", NEW, spare(place, 100 * number), name, main=True)
    (info,) = place.list()
    assert (info.id, info.parameters, info.state) == ("big-Q8_0", 300, ModelState.ON_DISK)


def test_same_file_name_in_two_repositories_names_the_repository(place: Place) -> None:
    cache_in_hub(place.hub, "acme/one", NEW, spare(place, 10), "same-Q8_0.gguf", main=True)
    cache_in_hub(place.hub, "acme/two", NEW, spare(place, 20), "same-Q8_0.gguf", main=True)
    cache_in_hub(place.hub, "acme/three", NEW, spare(place, 30), "model-q4_0.gguf", main=True)
    assert set(place.by_id()) == {"same-Q8_0", "two/same-Q8_0", "three/model-q4_0"}


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
    ],
)
def test_hub_cache_is_where_the_variables_say(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str, below: str
) -> None:
    monkeypatch.setenv(variable, str(place.root / "there"))
    cache_in_hub(place.root / "there" / below, "acme/m", NEW, spare(place, 10), "m.gguf", main=True)
    assert [info.id for info in place.list()] == ["m"]


def test_lm_studio_in_all_its_homes(place: Place) -> None:
    make_gguf(place.root / ".lmstudio" / "models" / "acme" / "a-GGUF" / "a-Q8_0.gguf")
    make_gguf(place.root / ".cache" / "lm-studio" / "models" / "acme" / "b-GGUF" / "b-Q8_0.gguf")
    make_gguf(place.root / "big disk" / "acme" / "c-GGUF" / "c-Q8_0.gguf")
    make_gguf(place.root / "moved" / "models" / "acme" / "d-GGUF" / "d-Q8_0.gguf")
    (place.root / ".lmstudio" / "settings.json").write_text('{"downloadsFolder": "~/big disk", "other": [1]}')
    (place.root / ".lmstudio-home-pointer").write_text(f"{place.root}/moved\n")
    found = place.by_id()
    assert set(found) == {"a-Q8_0", "b-Q8_0", "c-Q8_0", "d-Q8_0"}
    assert {info.source for info in found.values()} == {ModelSource.LM_STUDIO}
    (place.root / ".lmstudio" / "settings.json").write_text("{torn")
    assert set(place.by_id()) == {"a-Q8_0", "b-Q8_0", "d-Q8_0"}


def test_llama_cpp_cache_flat_and_as_a_hub(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = place.root / ".cache" / "llama.cpp"
    make_gguf(cache / "acme_wise-GGUF_wise-Q8_0.gguf", weights=10)
    make_gguf(cache / "by-url.gguf", weights=20)
    (cache / "manifest=acme=wise-GGUF=latest.json").write_text("{}")
    (cache / "half.gguf.downloadInProgress").write_bytes(b"GGUF")
    found = place.by_id()
    assert {name: info.source for name, info in found.items()} == {
        "wise-Q8_0": ModelSource.LLAMA_CPP,
        "by-url": ModelSource.LLAMA_CPP,
    }
    monkeypatch.setenv("LLAMA_CACHE", str(place.root / "elsewhere"))
    cache_in_hub(place.root / "elsewhere", "acme/new", NEW, spare(place, 30), "new-Q8_0.gguf", main=True)
    assert set(place.by_id()) == {"new-Q8_0"}


def test_ollama_names_are_ollamas(place: Place) -> None:
    for weights, name in enumerate(
        (
            "registry.ollama.ai/library/llama3.2/3b",
            "registry.ollama.ai/somebody/own/q8",
            "hf.co/acme/wise-GGUF/Q4_K_M",
        ),
        start=10,
    ):
        add_to_ollama(place.ollama, name, {"model": spare(place, weights), "template": spare(place, 1)})
    found = place.by_id()
    assert set(found) == {"llama3.2:3b", "somebody/own:q8", "hf.co/acme/wise-GGUF:Q4_K_M"}
    assert found["llama3.2:3b"].parameters == 10
    assert "blobs/sha256-" in found["llama3.2:3b"].path
    assert {info.source for info in found.values()} == {ModelSource.OLLAMA}


def test_ollama_tags_of_one_blob_are_one_model(place: Place) -> None:
    for tag in ("latest", "3b"):
        add_to_ollama(place.ollama, f"registry.ollama.ai/library/llama3.2/{tag}", {"model": spare(place, 10)})
    (one,) = place.list()
    assert (one.id, one.aliases) == ("llama3.2:3b", ("llama3.2:latest",))
    for name in ("llama3.2:3b", "llama3.2:latest", "LLAMA3.2:Latest", "3.2:lat", "llama3.2"):
        assert find_model([one], name) == one
    unknown = find_model([one], "llama3.2:latests")
    assert isinstance(unknown, Problem)
    assert "llama3.2:latest?" in unknown.remedy


def test_a_name_that_is_a_models_own_is_no_other_ones(place: Place) -> None:
    library = "registry.ollama.ai/library/wise"
    for tag, weights in (("7b", 10), ("latest", 10), ("old", 20)):
        add_to_ollama(place.ollama, f"{library}/{tag}", {"model": spare(place, weights)})
    place.mine.mkdir()
    (place.mine / "wise:latest.gguf").hardlink_to(spare(place, 20))
    found = place.by_id()
    assert found["wise:latest"].aliases == ("wise:old",)
    assert found["wise:7b"].aliases == ()
    assert find_model(list(found.values()), "wise:latest") == found["wise:latest"]


def test_ollama_companions_stay_with_their_model(place: Place) -> None:
    projector = make_gguf(place.root / "spare" / "p.gguf", architecture="clip")
    adapter = make_gguf(place.root / "spare" / "l.gguf", kind="adapter", weights=7)
    base = spare(place, 10)
    add_to_ollama(
        place.ollama,
        "registry.ollama.ai/library/sees/7b",
        {"model": spare(place, 20), "projector": projector},
    )
    add_to_ollama(place.ollama, "registry.ollama.ai/me/tuned/latest", {"model": base, "adapter": adapter})
    found = place.by_id()
    assert found["sees:7b"].projector is not None
    assert Path(found["sees:7b"].projector).samefile(projector)
    tuned = found["me/tuned:latest"]
    assert tuned.state is ModelState.BROKEN
    assert tuned.problem is not None
    assert "adapter" in tuned.problem.what
    add_to_ollama(place.ollama, "registry.ollama.ai/library/base/7b", {"model": base})
    assert set(place.by_id()) == {"sees:7b", "base:7b"}
    assert place.by_id()["base:7b"].aliases == (), "what is tuned by an adapter is another model"
    assert set(place.by_id(everything=True)) == {
        "sees:7b",
        "base:7b",
        "sees:7b (projector)",
        "me/tuned:latest (adapter)",
    }


def test_ollama_damage_is_told_and_clouds_are_passed_over(place: Place) -> None:
    library = "registry.ollama.ai/library"
    add_to_ollama(place.ollama, f"{library}/good/1b", {"model": spare(place, 10)})
    add_to_ollama(place.ollama, f"{library}/cloud/big", {"license": spare(place, 20)})
    torn = add_to_ollama(place.ollama, f"{library}/torn/1b", {})
    torn.write_text('{"layers": [')
    gone = add_to_ollama(place.ollama, f"{library}/gone/1b", {"model": spare(place, 30)})
    found = place.list()
    blob = Path(next(info.path for info in found if info.id == "gone:1b"))
    blob.unlink()
    evil = add_to_ollama(place.ollama, f"{library}/evil/1b", {})
    evil.write_text(gone.read_text().replace("sha256:", "sha256:../../"))
    (place.ollama / "manifests" / ".DS_Store").write_bytes(b"x")
    (torn.parent / ".DS_Store").write_bytes(b"x")
    found = place.list()
    assert found[0].id == "good:1b"
    broken = {info.id: info.problem for info in found[1:]}
    assert set(broken) == {"torn:1b", "gone:1b", "evil:1b"}
    for name, problem in broken.items():
        assert problem is not None
        assert problem.remedy.endswith(f"ollama pull {name}")


def test_missing_and_odd_folders_are_silent(place: Place) -> None:
    assert place.list() == []
    (place.root / ".cache").mkdir()
    (place.root / ".cache" / "huggingface").write_text("a file")
    (place.root / ".lmstudio").write_text("a file")
    (place.ollama).mkdir(parents=True)
    (place.ollama / "manifests").symlink_to("manifests")
    assert place.list() == []


def test_one_file_is_listed_once_under_its_best_name(place: Place) -> None:
    real = spare(place, 10)
    add_to_ollama(place.ollama, "registry.ollama.ai/library/wise/1b", {"model": real})
    place.mine.mkdir()
    (place.mine / f"{'0' * 64}.gguf").symlink_to(real)
    assert [(info.id, info.source) for info in place.list()] == [("wise:1b", ModelSource.OLLAMA)]
    (place.mine / "my-wise.gguf").hardlink_to(real)
    found = [(info.id, info.source, info.aliases) for info in place.list()]
    assert found == [("my-wise", ModelSource.OWN, ("wise:1b",))]


@pytest.mark.parametrize("off", list(ModelSource))
def test_each_source_can_be_switched_off(place: Place, off: ModelSource) -> None:
    make_gguf(place.mine / "own.gguf", weights=1)
    cache_in_hub(place.hub, "acme/m", NEW, spare(place, 2), "huggingface.gguf", main=True)
    make_gguf(place.root / ".lmstudio" / "models" / "a" / "b" / "lmstudio.gguf", weights=3)
    make_gguf(place.root / ".cache" / "llama.cpp" / "llamacpp.gguf", weights=4)
    add_to_ollama(place.ollama, "registry.ollama.ai/library/ollama/1b", {"model": spare(place, 5)})
    everywhere = set(ModelSource) - {ModelSource.FOLDERS}
    assert {info.source for info in place.list()} == everywhere
    on = [source for source in ModelSource if source is not off]
    assert {info.source for info in place.list(*on)} == everywhere - {off}


def test_a_model_of_ollamas_answers(empty_home: Home, starter_model: Path) -> None:
    """The whole way of a file without an ending: manifest, catalogue, engine, worker."""
    ollama = empty_home.root / "ollama"
    for tag in ("135m", "latest"):
        add_to_ollama(ollama, f"registry.ollama.ai/library/smollm2/{tag}", {"model": starter_model})
    empty_home.configure("")
    for name in ("smollm2:latest", "smollm2:135m"):
        asked = empty_home.run("ask", "Say hello.", "--model", name, "--max-tokens", "4", "--json")
        assert '"smollm2:135m"' in asked.stdout, asked.stderr
    assert empty_home.worker() is not None
    listed = empty_home.run("models").stdout.splitlines()
    assert any(line.startswith("smollm2:135m ") and "ollama" in line for line in listed)
    assert "  also called smollm2:latest" in listed
