"""What is offered to chat with, and what the other files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homes import Home
from tests.library.gguf_maker import make_gguf
from tests.library.places import Place
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.headers import FileFacts
from tui_chat.library.kinds import kind_of
from tui_chat.library.scan import find_model
from tui_chat.wire.api import ModelKind, ModelSource

CHAT = ModelKind.CHAT


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("name", "architecture", "billions", "kind"),
    [
        ("SmolLM2-135M-Instruct.Q4_1", "llama", 0.135, CHAT),
        ("Qwen3-0.6B-Q8_0", "qwen3", 0.6, CHAT),
        ("Llama-3-8B-imatrix-Q4_K_M", "llama", 8, CHAT),
        ("hermes-lora-merged-Q4_K_M", "llama", 8, CHAT),
        ("Legal-Draft-7B-Q4_K_M", "llama", 7, CHAT),
        ("GLM-4.5-Air-MTP-Q4_K_M", "glm4moe", 106, CHAT),
        ("embedded-systems-tutor-3B", "llama", 3, CHAT),
        ("drafty-1B", "llama", 1, CHAT),
        ("Qwen2.5-Coder-DRAFT-0.6B-Q8_0", "qwen2", 0.6, ModelKind.DRAFT),
        ("mtp-Qwen3.5-9B-Q8_0", "qwen35", 0.3, ModelKind.DRAFT),
        ("Llama-3.1-8B-EAGLE3", "eagle3", 0.4, ModelKind.DRAFT),
        ("gemma-4-assistant", "gemma4-assistant", 0.4, ModelKind.DRAFT),
        ("nomic-embed-text-v1.5.Q8_0", "nomic-bert", 0.137, ModelKind.EMBEDDING),
        ("all-MiniLM-L6-v2", "bert", 0.02, ModelKind.EMBEDDING),
        ("Qwen3-Embedding-0.6B-Q8_0", "qwen3", 0.6, ModelKind.EMBEDDING),
        ("qwen3-embedding:0.6b", "qwen3", 0.6, ModelKind.EMBEDDING),
        ("e5-mistral-7b-instruct-Q4_K_M", "llama", 7, ModelKind.EMBEDDING),
        ("gte-Qwen2-1.5B-instruct-Q8_0", "qwen2", 1.5, ModelKind.EMBEDDING),
        ("bge-reranker-v2-m3-Q8_0", "bert", 0.6, ModelKind.RERANKER),
        ("Qwen3-Reranker-4B.Q8_0", "qwen3", 4, ModelKind.RERANKER),
        ("anything", "clip", 0.4, ModelKind.PROJECTOR),
        ("flux1-dev-Q4_0", "flux", 12, ModelKind.OTHER),
        ("LLaDA-8B-Instruct-Q4_K_M", "llada", 8, ModelKind.OTHER),
        ("ggml-vocab-llama-bpe", "llama", 0, ModelKind.VOCABULARY),
    ],
)
def test_header_counts_and_names_only_where_it_is_silent(
    name: str, architecture: str, billions: float, kind: ModelKind
) -> None:
    facts = FileFacts(architecture=architecture, type="model")
    assert kind_of(name, facts, int(billions * 1e9)) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mmproj-F16", ModelKind.PROJECTOR),
        ("gemma-3.mmproj", ModelKind.PROJECTOR),
        ("imatrix_unsloth", ModelKind.IMATRIX),
        ("my-lora-f16", ModelKind.ADAPTER),
        ("Llama-3-8B-Q4_K_M", CHAT),
    ],
)
def test_unreadable_files_go_by_their_names(name: str, kind: ModelKind) -> None:
    assert kind_of(name, None, 0) is kind


def test_only_chat_models_are_offered(place: Place) -> None:
    make_gguf(place.mine / "model.gguf")
    make_gguf(place.mine / "sight.gguf", kind="mmproj")
    make_gguf(place.mine / "tuning.gguf", kind="adapter")
    make_gguf(place.mine / "matrix.gguf", kind="imatrix")
    make_gguf(place.mine / "bert.gguf", architecture="bert")
    make_gguf(place.mine / "vocab.gguf", weights=0)
    none, last, rank = 0, 3, 4
    make_gguf(place.mine / "plain.gguf", facts={"llama.pooling_type": none, "llama.attention.causal": True})
    make_gguf(place.mine / "vectors.gguf", facts={"llama.pooling_type": last})
    make_gguf(place.mine / "ranks.gguf", architecture="qwen3", facts={"qwen3.pooling_type": rank})
    make_gguf(place.mine / "both-ways.gguf", facts={"llama.attention.causal": False})
    make_gguf(place.mine / "diffusion.gguf", architecture="dream", facts={"dream.attention.causal": False})
    (place.mine / "mmproj-torn.gguf").write_bytes(b"GGUF")
    assert {info.id for info in place.list(ModelSource.OWN)} == {"model", "plain"}
    everything = place.by_id(ModelSource.OWN, everything=True)
    assert {name: info.kind for name, info in everything.items()} == {
        "model": CHAT,
        "sight": ModelKind.PROJECTOR,
        "tuning": ModelKind.ADAPTER,
        "matrix": ModelKind.IMATRIX,
        "bert": ModelKind.EMBEDDING,
        "vocab": ModelKind.VOCABULARY,
        "plain": CHAT,
        "vectors": ModelKind.EMBEDDING,
        "ranks": ModelKind.RERANKER,
        "both-ways": ModelKind.EMBEDDING,
        "diffusion": ModelKind.OTHER,
        "mmproj-torn": ModelKind.PROJECTOR,
    }


def test_what_is_not_offered_takes_no_name(place: Place) -> None:
    make_gguf(place.mine / "a" / "m.gguf", kind="adapter")
    make_gguf(place.mine / "b" / "m.gguf")
    chat = [info for info in place.list(ModelSource.OWN, everything=True) if info.kind is CHAT]
    assert [info.id for info in chat] == ["m"]


@pytest.mark.parametrize(
    ("files", "pairs"),
    [
        (
            ["wise-Q4_K_M", "wise-Q8_0", "mmproj-F16"],
            {"wise-Q4_K_M": "mmproj-F16", "wise-Q8_0": "mmproj-F16"},
        ),
        (["wise-Q4_K_M", "mmproj-model-f16"], {"wise-Q4_K_M": "mmproj-model-f16"}),
        (["wise-4b-Q8_0", "mmproj-wise-4b-f16"], {"wise-4b-Q8_0": "mmproj-wise-4b-f16"}),
        (["wise-4b-Q8_0", "wise-4b.mmproj-f16"], {"wise-4b-Q8_0": "wise-4b.mmproj-f16"}),
        (["wise-4b-Q8_0", "blind-7b-Q8_0", "mmproj-F16"], {}),
        (["wise-4b-Q8_0", "blind-7b-Q8_0", "mmproj-wise-4b-F16"], {"wise-4b-Q8_0": "mmproj-wise-4b-F16"}),
    ],
)
def test_projector_is_noted_on_the_model_it_belongs_to(
    place: Place, files: list[str], pairs: dict[str, str]
) -> None:
    for name in files:
        make_gguf(place.mine / f"{name}.gguf", architecture="clip" if "mmproj" in name else "llama")
    offered = place.list(ModelSource.OWN)
    assert {info.id: Path(info.projector).stem for info in offered if info.projector} == pairs


def test_no_companion_is_chatted_with_by_its_path(tmp_path: Path) -> None:
    for name, options in (
        ("an adapter", {"kind": "adapter"}),
        ("a projector", {"architecture": "clip"}),
        ("an embedding model", {"architecture": "bert"}),
        ("a reranker", {"facts": {"llama.pooling_type": 4}}),
    ):
        refused = find_model([], str(make_gguf(tmp_path / "m.gguf", **options)))
        assert isinstance(refused, Problem)
        assert refused.code is ProblemCode.MODEL_INVALID
        assert name in refused.what


def test_command_shows_the_rest_when_asked(empty_home: Home) -> None:
    make_gguf(empty_home.paths.models / "m.gguf")
    make_gguf(empty_home.paths.models / "mmproj-m.gguf", architecture="clip")
    assert "mmproj" not in empty_home.run("models").stdout
    lines = empty_home.run("models", "--all").stdout.splitlines()
    assert lines[0].split() == ["MODEL", "SIZE", "QUANT", "KIND", "SOURCE", "STATE", "NOW", "FILE"]
    assert any(line.startswith("mmproj-m ") and " projector " in line for line in lines)
