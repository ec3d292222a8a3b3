"""Which model in a repository is meant, and which suits a machine."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.hub.address import HubAddress, parse_address
from tui_chat.library.hub.choices import Choice, choices_of, main_family, named_choice
from tui_chat.library.hub.quants import BITS, Grade, grade, label_in, without_label
from tui_chat.library.hub.recommend import assess, recommend
from tui_chat.library.hub.repository import HubFile, Repository
from tui_chat.library.hub.room import Room, usually_beside

GIB = 1 << 30
LADDER = ("Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0")


def repository(*paths: str, size: int = 5 * GIB) -> Repository:
    return Repository("acme/wise-GGUF", "c" * 40, tuple(HubFile(path, size, "") for path in paths))


def pick(there: Repository, wanted: str) -> str:
    """The first file of what `wanted` names, or what is said instead."""
    address = parse_address(f"hf:{there.name}{wanted}")
    assert isinstance(address, HubAddress)
    found = named_choice(there, choices_of(there), address)
    return found.what if isinstance(found, Problem) else found.files[0].path


def model(parameters: float, quants: tuple[str, ...] = LADDER) -> list[Choice]:
    """A model of so many parameters in `quants`, as large as such files are."""
    sizes = {quant: int(parameters * BITS[quant] / 8) for quant in quants}
    return [Choice(quant, "m", (HubFile(f"m-{quant}.gguf", size, ""),)) for quant, size in sizes.items()]


def recommended(parameters: float, machine: Room, quants: tuple[str, ...] = LADDER) -> str | None:
    best = recommend(assess(model(parameters, quants), int(parameters), machine), machine)
    return best.choice.label if best.choice else None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hf:acme/wise-GGUF", HubAddress("acme/wise-GGUF")),
        ("hf:acme/wise-GGUF:q4_k_m", HubAddress("acme/wise-GGUF", quant="q4_k_m")),
        ("HF:acme/wise.v2_x:UD-Q4_K_XL", HubAddress("acme/wise.v2_x", quant="UD-Q4_K_XL")),
        ("hf:acme/wise-GGUF/sub/m.gguf", HubAddress("acme/wise-GGUF", file="sub/m.gguf")),
    ],
)
def test_addresses_are_understood(text: str, meant: HubAddress) -> None:
    assert parse_address(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "hf:", "hf:wise", "acme/wise", "hf:acme/wise:", "hf:../..", "hf:acme/wise/readme.md", "hf:a/b c"],
)
def test_other_addresses_are_refused_with_the_right_form(text: str) -> None:
    refused = parse_address(text)
    assert isinstance(refused, Problem)
    assert refused.code is ProblemCode.BAD_REQUEST
    assert "hf:OWNER/REPO" in refused.remedy


@pytest.mark.parametrize(
    ("stem", "label", "family"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M", "Q4_K_M", "Llama-3.2-1B-Instruct"),
        ("SmolLM2-135M-Instruct.Q4_1", "Q4_1", "SmolLM2-135M-Instruct"),
        ("wise-UD-Q4_K_XL", "UD-Q4_K_XL", "wise"),
        ("wise.i1-IQ2_XXS", "IQ2_XXS", "wise.i1"),
        ("wise-Q4_0_4_8", "Q4_0_4_8", "wise"),
        ("wise-Q6_K_L", "Q6_K_L", "wise"),
        ("phi-3-mini-4k-fp16", "F16", "phi-3-mini-4k"),
        ("gpt-oss-20b-mxfp4", "MXFP4", "gpt-oss-20b"),
        ("wise-nvfp4", "NVFP4", "wise"),
        ("wise-BF16", "BF16", "wise"),
        ("Qwen2-7B", "", "Qwen2-7B"),
        ("FAQ8-model", "", "FAQ8-model"),
    ],
)
def test_quants_are_read_out_of_names(stem: str, label: str, family: str) -> None:
    assert (label_in(stem), without_label(stem)) == (label, family)


@pytest.mark.parametrize(
    ("labels", "grade_"),
    [
        (("Q8_0", "Q6_K", "Q6_K_L", "Q5_K_S", "Q5_0", "Q4_K_M", "UD-Q4_K_XL", "MXFP4"), Grade.GOOD),
        (("Q4_K_S", "Q4_0", "Q4_1", "IQ4_XS", "IQ4_NL"), Grade.FAIR),
        (("Q3_K_L", "IQ3_M", "Q2_K", "UD-IQ1_S", "TQ1_0"), Grade.POOR),
        (("F16", "BF16", "F32", "UD-Q8_K_XL", "model"), Grade.FULL),
    ],
)
def test_quants_are_graded(labels: tuple[str, ...], grade_: Grade) -> None:
    assert {grade(label) for label in labels} == {grade_}


def test_companions_and_torsos_are_no_choice() -> None:
    there = repository(
        "wise-Q8_0.gguf",
        "Q4_K_M/wise-Q4_K_M-00001-of-00002.gguf",
        "Q4_K_M/wise-Q4_K_M-00002-of-00002.gguf",
        "wise-Q2_K-00001-of-00002.gguf",
        "mmproj-F16.gguf",
        "imatrix_unsloth.gguf",
        "mtp-wise-Q8_0.gguf",
    )
    small = dataclasses.replace(there.files[-1], size=GIB // 4)
    there = dataclasses.replace(there, files=(*there.files[:-1], small))
    assert [(choice.label, len(choice.files)) for choice in choices_of(there)] == [("Q4_K_M", 2), ("Q8_0", 1)]


def test_a_projector_comes_with_the_models_beside_it_and_only_once() -> None:
    there = repository(
        "wise-Q8_0.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf", "old/wise-Q2_K.gguf"
    )
    whole, old = choices_of(there)
    assert [file.path for file in whole.all_files] == ["wise-Q8_0.gguf", "mmproj-F16.gguf"]
    assert whole.size == sum(file.size for file in whole.all_files)
    assert old.projector is None, "it would not be found from there"
    assert all(choice.projector is None for choice in choices_of(there, seeing=False))


def test_named_quant_is_found_however_it_is_written() -> None:
    there = repository("m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-Q8_0.gguf", "m-UD-Q4_K_XL.gguf", "m-F16.gguf")
    assert pick(there, ":q4_k_m") == "m-Q4_K_M.gguf"
    assert pick(there, ":Q8") == "m-Q8_0.gguf"
    assert pick(there, ":q4_k_xl") == "m-UD-Q4_K_XL.gguf"
    assert pick(there, ":fp16") == "m-F16.gguf"
    assert pick(there, "/m-Q8_0.gguf") == "m-Q8_0.gguf"
    assert "could be any of 2" in pick(there, ":Q4_K")
    assert "has no IQ1_S" in pick(there, ":IQ1_S")
    assert "has no other.gguf" in pick(there, "/other.gguf")


def test_any_file_can_be_named_and_any_shard_names_all() -> None:
    there = repository("mmproj-F16.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf")
    assert pick(there, "/mmproj-F16.gguf") == "mmproj-F16.gguf"
    assert pick(there, "/m-Q8_0-00002-of-00002.gguf") == "m-Q8_0-00001-of-00002.gguf"


def test_two_models_in_a_repository_are_told_apart() -> None:
    there = repository("a-4b-Q8_0.gguf", "a-8b-Q8_0.gguf", "a-8b-Q4_K_M.gguf")
    said = pick(there, ":Q8_0")
    assert "a-4b-Q8_0.gguf" in said
    assert "a-8b-Q8_0.gguf" in said
    assert pick(there, "/a-4b-Q8_0.gguf") == "a-4b-Q8_0.gguf"
    assert {choice.family for choice in main_family(choices_of(there))} == {"a-8b"}


def table_of_the_readme() -> list[list[str]]:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    lines = text.partition("| Parameters |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("row", table_of_the_readme(), ids=lambda row: row[0])
def test_table_of_the_field_holds(row: list[str]) -> None:
    memory = (4, 8, 16, 24, 32, 64)
    parameters = float(row[0].removesuffix(" B")) * 1e9
    assert [recommended(parameters, Room(gib * GIB)) or "" for gib in memory] == row[1:]


def test_gpu_comes_before_a_larger_quant() -> None:
    both = Room(ram=64 * GIB, vram=8 * GIB)
    assert recommended(8e9, both) == "Q5_K_M"
    assert recommended(14e9, both) == "Q8_0"
    assert recommended(8e9, Room(ram=8 * GIB, vram=24 * GIB)) == "Q8_0"


def test_below_four_bits_only_if_nothing_else_fits_and_said() -> None:
    machine = Room(16 * GIB)
    choices = model(27e9, (*LADDER, "Q3_K_M", "Q2_K", "F16"))
    best = recommend(assess(choices, int(27e9), machine), machine)
    assert best.choice is not None
    assert best.choice.label == "Q2_K"
    assert "below four bits" in best.reason
    assert recommended(8e9, machine, ("Q3_K_M", "Q4_K_S")) == "Q4_K_S"


def test_full_precision_only_if_there_is_nothing_else() -> None:
    machine = Room(64 * GIB)
    assert recommended(4e9, machine, ("F16", "Q8_0")) == "Q8_0"
    assert recommended(4e9, machine, ("F16", "Q2_K")) == "Q2_K"
    assert recommended(4e9, machine, ("F16",)) == "F16"


def test_nothing_fits_is_said_with_numbers() -> None:
    machine = Room(8 * GIB)
    best = recommend(assess(model(70e9), int(70e9), machine), machine)
    assert best.choice is None
    assert "40." in best.reason
    assert "8.0 GiB" in best.reason


def test_what_the_header_says_counts_before_what_is_usual() -> None:
    machine = Room(8 * GIB)
    best = recommend(assess(model(8e9), int(8e9), machine, beside=GIB // 4), machine)
    assert best.choice is not None
    assert best.choice.label == "Q5_K_M"


def test_unknown_parameters_are_guessed_from_the_size() -> None:
    choices = model(8e9)
    known, guessed = (assess(choices, parameters, Room(64 * GIB)) for parameters in (int(8e9), 0))
    assert [verdict.needed for verdict in guessed] == [verdict.needed for verdict in known]
    assert usually_beside(10**12) > usually_beside(10**9)
