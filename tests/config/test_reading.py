"""Settings files and environments as they come: what is wrong is named with its line, and the rest holds."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.config.documents import documents, names, values
from tui_chat.config.paths import resolve_paths
from tui_chat.config.reading import Origin, Reading, read_settings, reading_of
from tui_chat.config.schema import NAME, schema, setting_at
from tui_chat.config.settings import Settings, load_settings

FILE = Path("/home/you/config.toml")


def reading(text: str, **environ: str) -> Reading:
    return reading_of(FILE, text.encode(), environ)


WRONG = """\
# my settings
[ui]
mose = true
stream_fps = 500
theme = "nord"

[paths]
sessions = "/srv/chats"
[uy]
x = 1
[models]
sources = ["own",
  "olama"]
strategy = "balancd"
keep_alive_for = { a = 3, b = "x" }
[servers.box]
kind = "vllm"
[servers.gpu]
url = "http://x"
headers = { Auth = 3 }
key = "sk-1"
[routes]
pair = { small = "a" }
"""


def test_each_slip_is_named_with_its_line_and_the_rest_holds() -> None:
    found = reading(WRONG)
    said = {each.line: each.what for each in found.findings}
    wanted = {
        3: "ui.mose is no setting (did you mean ui.mouse?)",
        4: "ui.stream_fps is 500, and has to be a whole number from 1 to 120",
        9: "uy is no table of settings",
        13: "models.sources (item 2) is “olama”, and has to be one of own",
        14: "models.strategy is “balancd”, and has to be one of max-performance",
        15: "models.keep_alive_for.b is “x”, and has to be a number",
        16: "servers.box.url is missing",
        20: "servers.gpu.headers.Auth has to be text",
        21: "servers.gpu.key is no setting",
        23: "routes.pair has to be a table with small and large",
    }
    assert said.keys() == wanted.keys()
    for line, what in wanted.items():
        assert said[line].startswith(what), said[line]
    assert "did you mean balanced?" in said[14]
    assert "the default, “balanced”, is in force" in said[14]
    assert "sk-1" not in str(found.told)
    held = found.settings
    assert (held.ui.theme, held.ui.stream_fps, held.paths.sessions) == ("nord", None, "/srv/chats")
    assert (held.models.keep_alive_for, list(held.servers), held.routes.pair) == ({"a": 3}, ["gpu"], None)
    assert resolve_paths(held.paths).sessions == Path("/srv/chats"), "a slip elsewhere hides no session"
    assert found.problem is not None
    assert found.problem.what.startswith(f"10 things are wrong in {FILE}:\nline 3: ui.mose")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (b"[ui]\ntheme = \n", 2, "invalid value"),
        (b"[ui]\r\ntheme = 'x'\r\ntheme = 'y'\r\n", 3, "cannot overwrite a value"),
        (b"[ui]\nx = 1\n[ui]\n", 3, "cannot declare"),
        (b'[ui]\ntheme = "x', 2, ""),
        (b"[ui]\n\ntheme = '\xff'\n", 3, "no UTF-8"),
        (b"a = " + b"[" * 5000, None, "nested too deeply"),
        (b"a = " + b"9" * 5000, None, ""),
    ],
)
def test_a_file_that_is_no_toml_leaves_the_defaults(text: bytes, line: int | None, why: str) -> None:
    found = reading_of(FILE, text, {"TUI_CHAT_UI_THEME": "nord"})
    assert found.broken
    assert found.findings[0].line == line
    assert why in found.findings[0].what
    assert found.settings == msgspec.convert({"ui": {"theme": "nord"}}, Settings)
    assert found.problem is not None
    assert "the defaults are in force" in found.problem.kept


def test_the_environment_overrules_the_file() -> None:
    found = reading(
        '[ui]\ntheme = "a"\nmouse = true\n[servers.gpu-box]\nurl = "http://x"\n',
        TUI_CHAT_UI_THEME="b",
        TUI_CHAT_MODELS_CONTEXT="4096",
        TUI_CHAT_MODELS_FOLDERS='["~/llm"]',
        TUI_CHAT_CHAT_PRESET="",
        TUI_CHAT_SERVERS_GPU_BOX_KEY_ENV="KEY",
        TUI_CHAT_SERVERS_OTHER_URL="http://y",
        TUI_CHAT_CONFIG="/elsewhere",
        PATH="/bin",
    )
    assert found.findings == ()
    held = found.settings
    assert (held.ui.theme, held.ui.mouse, held.models.context) == ("b", True, 4096)
    assert (held.models.folders, held.chat.preset) == (("~/llm",), None)
    assert {name: (each.url, each.key_env) for name, each in held.servers.items()} == {
        "gpu-box": ("http://x", "KEY"), "other": ("http://y", None)
    }  # fmt: skip
    assert found.origins[("ui", "theme")] == Origin(variable="TUI_CHAT_UI_THEME")
    assert found.origins[("ui", "mouse")] == Origin(line=3)
    assert ("chat", "preset") not in found.origins


def test_what_is_wrong_with_the_environment_is_named_and_ignored() -> None:
    found = reading(
        "[ui]\nmouse = false\n",
        TUI_CHAT_UI_MOUSE="perhaps",
        TUI_CHAT_UI_THEM="x",
        TUI_CHAT_SERVERS_BOX_KEY_ENV="KEY",
        TUI_CHAT_SERVERS_BOX_HEADERS="sk-1",
        TUI_CHAT_CONFG="x",
        TUI_CHAT_UI_THEME="\udcff",
    )
    assert found.settings == msgspec.convert({"ui": {"mouse": False}}, Settings)
    assert found.told == [
        "TUI_CHAT_CONFG names no setting (did you mean TUI_CHAT_CONFIG?); it is ignored.",
        "TUI_CHAT_SERVERS_BOX_HEADERS has to be a table of texts; it is ignored.",
        "TUI_CHAT_UI_MOUSE is “perhaps”, and has to be true or false; it is ignored.",
        "TUI_CHAT_UI_THEM names no setting (did you mean TUI_CHAT_UI_THEME?); it is ignored.",
        "TUI_CHAT_UI_THEME is no UTF-8; it is ignored.",
        "TUI_CHAT_SERVERS_BOX_KEY_ENV servers.box.url is missing, the address of that server; it is ignored.",
    ]


@pytest.mark.parametrize("name", ["\0", "x" * 300, "/srv/" + "x" * 256 + "/chats", "a/" * 2100])
def test_what_no_file_can_be_called_is_no_path(name: str) -> None:
    found = reading(tomli_w.dumps({"paths": {"sessions": name, "models": "~/x/y z"}}))
    assert "has to be a path" in found.told[0]
    assert (found.settings.paths.sessions, found.settings.paths.models) == (None, "~/x/y z")


def test_a_byte_order_mark_is_borne() -> None:
    found = reading("\ufeff[ui]\ntheme = 'x'\n")
    assert (found.findings, found.settings.ui.theme) == ((), "x")


@pytest.mark.parametrize("make", [Path.mkdir, lambda p: p.symlink_to(p), lambda p: p.symlink_to("/none/x")])
def test_what_cannot_be_read_is_told_and_the_defaults_hold(make: Any, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    make(file)
    loaded = load_settings(file)
    assert loaded.settings == Settings()
    assert (loaded.problem is None) == (not file.is_dir() and file.readlink() == Path("/none/x"))


# Anything at all

keys = st.one_of(st.sampled_from([each.path[-1] for each in schema()]), names)
tables = st.one_of(st.sampled_from([*Settings.__struct_fields__]), names)
inner = st.one_of(
    values,
    st.dictionaries(keys, values, max_size=4),
    st.dictionaries(names, st.dictionaries(keys, values, max_size=3), max_size=2),
)
known = st.dictionaries(tables, st.one_of(st.dictionaries(keys, inner, max_size=4), values), max_size=4)
variables = st.one_of(
    st.sampled_from([each.variable.replace(NAME, "BOX") for each in schema()]),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", max_size=12).map(lambda end: f"TUI_CHAT_{end}"),
)
bytes_of_files = st.one_of(
    st.binary(max_size=200),
    known.map(lambda document: tomli_w.dumps(document).encode("utf-8", "replace")),
    documents().map(str.encode),
    st.tuples(st.integers(0, 10**6), st.binary(max_size=3)).map(lambda how: _torn(*how)),
)


def _torn(seed: int, noise: bytes) -> bytes:
    """A good file with something wrong in the middle of it."""
    at = random.Random(seed).randrange(len(WRONG))
    return WRONG.encode()[:at] + noise + WRONG.encode()[at + seed % 3 :]


@settings(max_examples=250)
@given(bytes_of_files, st.dictionaries(variables, st.text(max_size=20), max_size=2))
def test_whatever_is_in_them_the_settings_hold_and_can_be_used(data: bytes, environ: dict[str, str]) -> None:
    found = reading_of(FILE, data, environ)
    again = msgspec.json.decode(msgspec.json.encode(found.settings), type=Settings)
    assert again == found.settings, "each value is one that its setting takes"
    resolve_paths(found.settings.paths)
    lines = data.count(b"\n") + 1
    assert all(each.line is None or 1 <= each.line <= lines for each in found.findings)
    assert all("\n" not in line and "Traceback" not in line for line in found.told)
    for path, origin in found.origins.items():
        assert origin != Origin()
        assert setting_at(path) is not None


@settings(max_examples=100)
@example(b"[sampling]\ntemprature = 0")
@given(bytes_of_files)
def test_the_quick_way_to_read_agrees_with_the_close_one(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_bytes(data)
        loaded, close = load_settings(file), read_settings(file, {})
        assert (loaded.settings, loaded.problem) == (close.settings, close.problem)
        assert file.read_bytes() == data
        assert [each.name for each in Path(folder).iterdir()] == ["config.toml"]
