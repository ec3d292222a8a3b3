"""Presets on disk: what comes with us, what is one's own, what is wrong, and that nothing is written over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui_chat.chat.limits import objection
from tui_chat.chat.model import Sampling
from tui_chat.chat.policy import Policy, PolicyKind
from tui_chat.config.presets import (
    FoundPresets,
    PolicyPart,
    Preset,
    PresetError,
    SamplingPart,
    Source,
    find_presets,
    own_presets_folder,
    read_preset,
)
from tui_chat.store.errors import StoreError
from tui_chat.store.presets import keep_preset

BUILT_IN = {"assistant", "coder", "teacher", "analyst", "writer", "reviewer"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own presets, which do not exist yet."""
    monkeypatch.setenv("TUI_CHAT_CONFIG", str(tmp_path / "config.toml"))
    assert own_presets_folder() == tmp_path / "presets"
    return tmp_path / "presets"


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def _names(found: FoundPresets, source: Source) -> set[str]:
    return {each.preset.name for each in found.listed if each.source is source}


def test_those_that_come_with_us_are_whole_short_and_differ(folder: Path) -> None:
    found = find_presets()
    assert found.problems == ()
    assert _names(found, Source.BUILT_IN) == BUILT_IN
    for each in found.listed:
        assert each.preset.about
        assert 100 < len(each.preset.system) < 600, "small models forget long instructions"
    drawn = {name: found.named(name).setup(Sampling()).sampling.temperature for name in BUILT_IN}
    assert max(drawn["coder"], drawn["analyst"], drawn["reviewer"]) < drawn["assistant"] < drawn["writer"]


def test_parts_say_everything_that_can_be_said() -> None:
    assert SamplingPart.__struct_fields__ == Sampling.__struct_fields__
    assert PolicyPart.__struct_fields__ == Policy.__struct_fields__


def test_a_part_changes_only_what_it_says(folder: Path) -> None:
    text = 'system = " Be brief. "\n[sampling]\ntemperature = 0\nstop = ["END"]\n[policy]\nkind = "sliding"\n'
    preset = read_preset(_write(folder, "terse.toml", text))
    setup = preset.setup(Sampling(top_k=7))
    assert (setup.preset, setup.system) == ("terse", "Be brief."), "the file's name is its name"
    assert setup.sampling == Sampling(temperature=0, top_k=7, stop=("END",))
    assert preset.policy is not None
    assert preset.policy.whole == Policy(kind=PolicyKind.SLIDING)


def test_ones_own_wins_and_what_is_broken_hides_nothing(folder: Path) -> None:
    mine = _write(folder, "mine.toml", 'name = "Coder"\nabout = "my way"\n')
    _write(folder, "twin.toml", 'name = "coder"\n')
    broken = _write(folder, "writer.toml", "about = \n")
    found = find_presets()
    own = found.own("CODER")
    assert own is not None
    assert (own.file, own.hides) == (mine, True)
    assert found.named("coder").about == "my way"
    assert _names(found, Source.BUILT_IN) == BUILT_IN - {"coder"}
    said = [problem.what for problem in found.problems]
    assert len(said) == 2
    assert "mine.toml is called “Coder” already" in said[0]
    assert str(broken) in said[1]
    assert "line 1" in said[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("temprature = 1", "temprature"),
        ("[sampling]\ntemprature = 1", "temprature"),
        ('[sampling]\ntemperature = "hot"', "Expected `float`, got `str`"),
        ("[sampling]\ntemperature = 30", "temperature is 30, and has to be from 0 to 5"),
        ("[sampling]\ntop_p = nan", "top_p is nan, and has to be from 0 to 1"),
        ("[sampling]\nseed = -1", "seed is -1, and has to be from 0 to 4,294,967,294"),
        ('[policy]\nkind = "forget"', "forget"),
        ("[policy]\nfill = 0.3", "target is 0.5, and must not be above fill, which is 0.3"),
        ("system: Be brief", "line 1"),
        (f"a = {'[' * 9000}", "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(folder: Path, text: str, why: str) -> None:
    file = _write(folder, "odd.toml", text)
    with pytest.raises(PresetError) as refused:
        read_preset(file)
    assert str(file) in refused.value.problem.what
    assert why in refused.value.problem.what
    assert refused.value.problem.remedy


def test_what_is_no_file_is_not_waited_for(folder: Path) -> None:
    _write(folder, "good.toml", 'name = "good"')
    os.mkfifo(folder / "waiting.toml")
    (folder / "endless.toml").symlink_to("/dev/zero")
    found = find_presets()
    assert "good" in [each.preset.name for each in found.listed]
    assert ["it is no file" in each.what for each in found.problems] == [True, True]


def test_what_is_usual_is_within_the_limits() -> None:
    assert objection(Sampling()) == objection(Policy()) == ""


def test_a_preset_is_there_again_as_it_was_kept(folder: Path) -> None:
    preset = Preset(
        name="Sea talk",
        about='Salty, "so to speak"',
        system='First line\n  second """ line\\\nthird\n',
        model="SmolLM2",
        sampling=SamplingPart(temperature=0.0, seed=7, stop=("a\n", '"')),
        policy=PolicyPart(kind=PolicyKind.RESET, keep=4),
    )
    file = keep_preset(folder, preset)
    assert file == folder / "sea-talk.toml"
    assert read_preset(file) == preset
    assert file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_over_unless_that_is_asked_for(folder: Path) -> None:
    broken = _write(folder, "sea.toml", "not a preset")
    first = keep_preset(folder, Preset(name="sea"))
    second = keep_preset(folder, Preset(name="Sea!"))
    assert (first.name, second.name) == ("sea-2.toml", "sea-3.toml")
    assert broken.read_text() == "not a preset"
    assert keep_preset(folder, Preset(name="sea", about="new"), first) == first
    assert read_preset(first).about == "new"
    assert {path.name for path in folder.iterdir()} == {"sea.toml", "sea-2.toml", "sea-3.toml"}
    assert keep_preset(folder, Preset(name="海")).name == "preset.toml"


def test_a_folder_that_is_a_file_is_said(folder: Path) -> None:
    folder.write_text("not a folder")
    with pytest.raises(StoreError) as refused:
        keep_preset(folder, Preset(name="sea"))
    assert "saving the preset failed" in refused.value.problem.what.casefold()


def test_an_unknown_name_gets_a_hint(folder: Path) -> None:
    with pytest.raises(PresetError) as unknown:
        find_presets().named("codr")
    assert "Did you mean coder?" in unknown.value.problem.remedy
