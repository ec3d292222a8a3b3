"""Finding a model by a few letters, stepping through contexts and KV types, and how numbers are said."""

from __future__ import annotations

import pytest

from tui_chat.ui import words
from tui_chat.ui.fuzzy import ranked
from tui_chat.ui.switcher.choice import contexts, step_context, step_kv
from tui_chat.ui.switcher.order import as_of, recent_first
from tui_chat.wire.api import EngineChanged, ModelInfo, ModelState
from tui_chat.wire.plan import KvType
from tui_chat.wire.words import rate, size, sizes

NAMES = ["Qwen3-8B", "Qwen3-30B-A3B", "gemma-3-270m", "SmolLM2-135M", "Meta-Llama-3.1-8B"]


def find(query: str) -> list[str]:
    return ranked(query, ((name, name) for name in NAMES))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("q8", "Qwen3-8B"),
        ("q30", "Qwen3-30B-A3B"),
        ("QWEN", "Qwen3-8B"),
        ("a3b", "Qwen3-30B-A3B"),
        ("270", "gemma-3-270m"),
        ("ml3", "Meta-Llama-3.1-8B"),
        ("8b llama", "Meta-Llama-3.1-8B"),
        ("smlm", "SmolLM2-135M"),
    ],
)
def test_a_few_letters_find_what_is_meant(query: str, first: str) -> None:
    assert find(query)[0] == first


def test_letters_out_of_order_find_nothing_and_no_letters_leave_the_order() -> None:
    assert find("b8q") == []
    assert find("qwen gemma") == []
    assert find("  ") == NAMES


def test_whole_words_come_before_scattered_letters_and_equals_keep_their_order() -> None:
    assert ranked("lama", [("long-armada", 1), ("llama", 2)]) == [2, 1]
    assert ranked("x", [("x-1", 1), ("x-2", 2), ("x-3", 3)]) == [1, 2, 3]
    assert ranked("ss", [("Straße", 1), ("İs s", 2)]) == [1, 2], "letters that grow when folded"


@pytest.mark.parametrize(
    ("trained", "ladder"),
    [
        (8192, (2048, 4096, 8192)),
        (40960, (2048, 4096, 8192, 16384, 32768, 40960)),
        (2048, (2048,)),
        (512, (512,)),
    ],
)
def test_the_ladder_ends_with_what_the_model_was_trained_for(trained: int, ladder: tuple[int, ...]) -> None:
    assert contexts(trained) == ladder


def test_steps_go_to_the_next_rung_from_anywhere_and_stop_at_the_ends() -> None:
    assert step_context(12_000, 40_960, 1) == 16_384
    assert step_context(12_000, 40_960, -1) == 8192
    assert step_context(40_960, 40_960, 1) == 40_960
    assert step_context(2048, 40_960, -1) == 2048
    assert step_context(1000, 40_960, -1) == 1000
    assert step_context(65_536, 0, 1) == 131_072


def test_kv_types_go_from_thrifty_to_exact() -> None:
    down = [KvType.F16]
    for _ in range(4):
        down.append(step_kv(down[-1], -1))
    assert down == [KvType.F16, KvType.Q8_0, KvType.Q5_1, KvType.Q4_0, KvType.Q4_0]
    assert step_kv(KvType.F16, 1) is KvType.F16
    assert step_kv(KvType.IQ4_NL, 1) is KvType.F16


def model(id: str, state: ModelState = ModelState.ON_DISK, **more: object) -> ModelInfo:
    return ModelInfo(id=id, path=f"/models/{id}.gguf", size_bytes=1, state=state, **more)


def test_this_chats_model_is_first_then_the_latest_used_then_the_newest_file() -> None:
    found = [model("broken", ModelState.BROKEN), *(model(name) for name in "abcd")]
    used = ["d", "broken", None, "gone", "/models/b.gguf", "d"]
    assert [m.id for m in recent_first(found, "c", used)] == ["c", "d", "b", "a", "broken"]


def test_a_model_that_left_is_on_disk_again_and_one_from_elsewhere_is_listed() -> None:
    was = model("a", ModelState.READY, context=4096, pinned=True, real_bytes=5)
    elsewhere = model("b", ModelState.LOADING)
    models = [was, model("c", ModelState.BROKEN)]
    assert as_of(models, EngineChanged((elsewhere,), ())) == [model("a"), models[1], elsewhere]
    parked = as_of(models, EngineChanged((), (), parked=("a", "c")))
    assert parked == [model("a", ModelState.PARKED), models[1]]
    assert as_of(parked, EngineChanged((), ())) == [model("a"), models[1]]
    assert as_of(models, None) == [model("a"), models[1]]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.parameters(134_515_008), "135M"),
        (words.parameters(596_049_920), "0.6B"),
        (words.parameters(8_030_261_248), "8B"),
        (words.parameters(235_093_634_560), "235B"),
        (words.parameters(0), ""),
        (words.roughly(0.02), "0.1 s"),
        (words.roughly(1.44), "1.4 s"),
        (words.roughly(9.2), "9 s"),
        (words.roughly(150), "2 min"),
        (words.lasting(59), "59 s"),
        (words.lasting(3900), "1 h 5 min"),
        (size(0), "0 B"),
        (size(1025), "2 KiB"),
        (size(98_362_432), "94 MiB"),
        (size(5 << 30), "5.0 GiB"),
        (size(1 << 50), "1024.0 TiB"),
        (sizes([3 << 30, 100 << 20, 0, 1 << 20]), (["3.0", "0.1", "0", "0.1"], "GiB")),
        (sizes([92 << 20, 1 << 10]), (["92", "1"], "MiB")),
        (rate(0.36), "0.4 tok/s"),
    ],
)
def test_numbers_are_said_with_their_unit(said: object, expected: object) -> None:
    assert said == expected
