"""The declaration of the settings is whole, and what is written from it is current."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from tests.config.documents import names
from tui_chat.config.schema import (
    NAME,
    Setting,
    ValueRefusedError,
    dotted,
    parsed,
    schema,
    setting_at,
    similar,
)
from tui_chat.config.settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_reference_in_the_docs_is_current() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "tui_chat.config.reference"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert made.stdout == (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), (
        "run: python -m tui_chat.config.reference > docs/settings.md"
    )


def test_every_table_and_field_is_among_them() -> None:
    declared = set()
    for field in msgspec.structs.fields(Settings):
        value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        if not isinstance(value, dict):
            declared |= {(field.name, name) for name in value.__struct_fields__}
    assert declared == {each.path for each in schema() if NAME not in each.path}
    assert setting_at(("servers", "gpu-box", "url")).key == "servers.gpu-box.url"
    assert setting_at(("models", "keep_alive_for", "x")) is None


@pytest.mark.parametrize("setting", schema(), ids=lambda each: each.key)
def test_each_is_described_and_takes_its_default_and_nothing_without_limits(setting: Setting) -> None:
    assert setting.about[0].isupper() or setting.about[0].isdigit()
    assert not setting.about.endswith(".")
    if setting.default is not None:
        setting.check(msgspec.json.decode(msgspec.json.encode(setting.default)))
    if isinstance(setting.kind, inspect.IntType | inspect.FloatType):
        assert setting.limits is not None
        for beyond in (
            setting.limits.least - 1,
            setting.limits.most + 1,
            float("nan"),
            float("inf"),
            10**400,
        ):
            with pytest.raises(ValueRefusedError, match="from"):
                setting.check(beyond)
    if isinstance(setting.kind, inspect.EnumType):
        assert setting.choices
    with pytest.raises(ValueRefusedError):
        setting.check([{"no": "setting takes this"}])


def test_names_in_the_environment_are_of_one_setting_each() -> None:
    variables = [each.variable for each in schema()]
    assert len(set(variables)) == len(variables)
    assert "TUI_CHAT_CONFIG" not in variables
    assert all(re.fullmatch(r"TUI_CHAT_[A-Z0-9_]+", each) for each in variables)


@given(st.lists(names, min_size=1, max_size=4).map(tuple))
def test_keys_are_written_and_read(path: tuple[str, ...]) -> None:
    assert parsed(dotted(path)) == path


@pytest.mark.parametrize("text", ["", "a b", "a\nb", "a = 1\nb", "[a]\nb", "a.", "a#", "{", "a=0\nc"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert parsed(text) is None


def test_slips_are_understood() -> None:
    assert similar(("ui", "mose")) == "ui.mouse"
    assert similar(("ui", "temperature")) == ""
    assert similar(("model", "context")) == "models.context"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("ui.theme", "nord", "nord"),
        ("ui.theme", '"nord"', "nord"),
        ("models.default", "7", "7"),
        ("ui.mouse", "false", False),
        ("sampling.temperature", "1", 1),
        ("models.folders", '["a", "b"]', ["a", "b"]),
        ("routes.pair", '{ small = "a", large = "b" }', {"small": "a", "large": "b"}),
        ("ui.theme", 'x\ny = "z"', 'x\ny = "z"'),
    ],
)
def test_values_are_toml_or_bare_words(key: str, text: str, value: object) -> None:
    setting = setting_at(parsed(key) or ())
    assert setting is not None
    assert setting.read(text) == value


@pytest.mark.parametrize(
    ("key", "text", "wants"),
    [
        ("ui.mouse", "yes", "true or false"),
        ("models.context", "8k", "a whole number from 256"),
        ("models.folders", "~/llm", "a list of paths"),
        ("models.strategy", "fast", "balanced"),
        ("sampling.top_p", "1.5", "from 0 to 1"),
        ("routes.pair", '{ small = "a" }', "large"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_what_would(key: str, text: str, wants: str) -> None:
    setting = setting_at(parsed(key) or ())
    assert setting is not None
    with pytest.raises(ValueRefusedError, match=wants):
        setting.read(text)
