"""The settings file as it is changed on a real disk: one key, at one blow, or not at all."""

from __future__ import annotations

import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tui_chat.config.reading import reading_of
from tui_chat.config.template import template
from tui_chat.store.errors import StoreError
from tui_chat.store.settings import SettingsFile

MINE = b'# mine\r\n[ui]\r\ntheme = "x" # best\r\nodd = 1\r\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.toml"


def written(file: Path, data: bytes = MINE) -> SettingsFile:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    return SettingsFile(file)


def test_one_key_is_changed_and_put_back(file: Path) -> None:
    ours = written(file)
    done = ours.set(("ui", "theme"), "nord")
    assert file.read_bytes() == MINE.replace(b'"x"', b'"nord"')
    ours.undo(done)
    assert file.read_bytes() == MINE
    ours.undo(ours.reset(("ui", "odd")))
    assert file.read_bytes() == MINE
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"], "nothing is left beside it"


def test_a_missing_file_is_made_and_goes_again_when_that_is_undone(file: Path) -> None:
    ours = SettingsFile(file)
    done = ours.set(("sampling", "temperature"), 0.5)
    assert file.read_text() == "[sampling]\ntemperature = 0.5\n"
    assert file.stat().st_mode & 0o777 == 0o600
    ours.undo(done)
    assert not file.exists()
    assert ours.reset(("ui", "theme")).after is None
    assert not file.exists()


def test_links_marks_and_modes_stay(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "tui-chat.toml"
    written(real, b"\xef\xbb\xbf[ui]\n")
    real.chmod(0o644)
    file.parent.mkdir()
    file.symlink_to(real)
    SettingsFile(file).set(("ui", "mouse"), False)
    assert file.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf[ui]\nmouse = false\n"
    assert real.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[ui]\nx = \n", "line 2"),
        (b"a = '\xff'\n", "UTF-8"),
        (b"ui = 3\n", "is no table"),
        (b"[[ui]]\n", "is no table"),
    ],
)
def test_what_cannot_be_changed_safely_stays(data: bytes, why: str, file: Path) -> None:
    ours = written(file, data)
    with pytest.raises(StoreError, match=why) as error:
        ours.set(("ui", "mouse"), True)
    assert "tui-chat config edit" in error.value.problem.remedy
    assert file.read_bytes() == data


def test_a_value_that_makes_no_sense_is_refused(file: Path) -> None:
    ours = written(file)
    for path, value in (
        (("ui", "mouse"), 3),
        (("ui", "mose"), True),
        (("models", "keep_alive_for", "x"), "y"),
    ):
        with pytest.raises(StoreError):
            ours.set(path, value)
    assert file.read_bytes() == MINE


def test_what_somebody_else_wrote_meanwhile_stays(file: Path) -> None:
    ours = written(file)
    seen = ours.set(("ui", "theme"), "nord")
    file.write_bytes(b"[ui]\ntheme = 'theirs'\n")
    for change in (lambda: ours.set(("ui", "theme"), "y", seen), lambda: ours.undo(seen)):
        with pytest.raises(StoreError, match="changed meanwhile"):
            change()
    assert file.read_bytes() == b"[ui]\ntheme = 'theirs'\n"


def test_of_changes_at_the_same_time_none_is_lost(file: Path) -> None:
    written(file)
    with ThreadPoolExecutor(8) as pool:
        for number in range(24):
            pool.submit(SettingsFile(file).set, ("models", "keep_alive_for", f"m{number}"), number)
    assert tomllib.loads(file.read_text())["models"]["keep_alive_for"] == {f"m{n}": n for n in range(24)}


def test_resetting_all_keeps_a_copy(file: Path) -> None:
    ours = written(file)
    assert SettingsFile(file.with_name("none.toml")).reset_all() is None
    first, second = ours.reset_all(), ours.reset_all()
    assert first is not None
    assert second is not None
    assert first.read_bytes() == MINE
    assert second.name == "config.toml.bak2"
    assert reading_of(file, file.read_bytes(), {}).values == {}


def test_what_the_template_shows_is_valid_when_the_marks_go() -> None:
    assert reading_of(Path("t"), template().encode(), {}).findings == ()
    text = re.sub(r"^# (?=(?:\[|[a-z_0-9]+ = ))", "", template(), flags=re.MULTILINE)
    shown = reading_of(Path("t"), text.encode(), {})
    assert shown.findings == ()
    assert len(shown.values) == len(shown.all)


def test_a_setting_is_said_where_the_template_shows_it(file: Path) -> None:
    ours = SettingsFile(file)
    assert ours.begin()
    assert not ours.begin()
    ours.set(("ui", "mouse"), False)
    lines = file.read_text().splitlines()
    assert lines[lines.index("mouse = false") - 1] == "# mouse = true"
