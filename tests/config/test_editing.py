"""One key changed in a file of any shape: it says the new value, and the rest is as it was, to the byte."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.documents import documents, names, scalars
from tui_chat.config.editing import EditError, with_value, without
from tui_chat.config.reading import BrokenError
from tui_chat.config.spans import layout

plain = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(names, scalars, max_size=3))


def at(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if not isinstance(document, dict) or part not in document:
            return None
        document = document[part]
    return document


@st.composite
def documents_with_a_path(draw: st.DrawFn) -> tuple[str, tuple[str, ...]]:
    """A document, and a path that is in it, or would be beside what is."""
    text = draw(documents())
    there = [each.path for each in layout(text).statements]
    there += list(layout(text).keys)
    simple = [path for path in there if all(isinstance(part, str) for part in path)]
    below = [block.path for block in layout(text).blocks if all(isinstance(p, str) for p in block.path)]
    path = draw(st.sampled_from(simple + below) if simple else st.sampled_from(below))
    if not path or draw(st.booleans()):
        path = (*path[:-1], draw(names)) if draw(st.booleans()) and path else (*path, draw(names))
    return text, path


@settings(max_examples=100)
@given(documents_with_a_path(), plain)
def test_setting_changes_that_key_alone(drawn: tuple[str, tuple[str, ...]], value: Any) -> None:
    text, path = drawn
    try:
        after = with_value(text, path, value)
    except EditError:
        assert not isinstance(at(tomllib.loads(text), path[:-1]), dict), "only where no table can be"
        return
    assert repr(at(tomllib.loads(after), path)) == repr(value)
    existing = layout(text).values.get(path)
    if existing is not None:
        assert after.startswith(text[: existing.start])
        assert after.endswith(text[existing.end :])
    elif at(tomllib.loads(text), path) is None:
        kept = iter(after)
        assert all(letter in kept for letter in text), "nothing was taken out"
    again = with_value(after, path, value)
    assert again == after


@settings(max_examples=100)
@given(documents_with_a_path())
def test_resetting_takes_out_that_key_alone(drawn: tuple[str, tuple[str, ...]]) -> None:
    text, path = drawn
    after = without(text, path)
    assert at(tomllib.loads(after), path) is None
    left = iter(text)
    assert all(letter in left for letter in after), "nothing was put in"
    if at(tomllib.loads(text), path) is None:
        assert after == text


MINE = """\
# mine
[ui]
  theme = "x"  # the best
  mouse = true

[later]
odd = 1 # kept"""


@pytest.mark.parametrize(
    ("text", "path", "value", "after"),
    [
        ("", ("ui", "mouse"), False, "[ui]\nmouse = false\n"),
        (MINE, ("ui", "theme"), "y", MINE.replace('"x"', '"y"')),
        (MINE, ("ui", "stream_fps"), 20, MINE.replace("mouse = true\n", "mouse = true\n  stream_fps = 20\n")),
        (MINE, ("later", "b"), [1, "a"], f'{MINE}\nb = [1, "a"]'),
        (MINE, ("chat", "preset"), 'a"b', f'{MINE}\n\n[chat]\npreset = "a\\"b"\n'),
        ("[ui]\r\n", ("ui", "mouse"), True, "[ui]\r\nmouse = true\r\n"),
        ("ui.theme = 'x'\n[a]\n", ("ui", "mouse"), True, "ui.theme = 'x'\nui.mouse = true\n[a]\n"),
        ("ui = { theme = 'x' }\n", ("ui", "mouse"), True, "ui = { theme = 'x', mouse = true }\n"),
        ("ui = {}\n", ("ui", "mouse"), True, "ui = { mouse = true }\n"),
        ("[a.b]\nx = 1\n", ("a", "y"), 2, "[a.b]\nx = 1\n\n[a]\ny = 2\n"),
        ("servers.a.url = 'u'\n", ("servers", "b", "url"), "v",
         "servers.a.url = 'u'\nservers.b.url = \"v\"\n"),
        ("[m.k]\na = 1 # one\n\n[x]\n", ("m", "k"), {"b.c": 2}, '# one\n\n[x]\n\n[m]\nk = { "b.c" = 2 }\n'),
    ],
)  # fmt: skip
def test_set(text: str, path: tuple[str, ...], value: Any, after: str) -> None:
    assert with_value(text, path, value) == after


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        (MINE, ("ui", "mouse"), MINE.replace("  mouse = true\n", "")),
        (MINE, ("ui", "theme"), MINE.replace('theme = "x"  ', "")),
        (MINE, ("ui", "absent"), MINE),
        (MINE, ("later", "odd"), MINE.replace("odd = 1 ", "")),
        ("x.a = [1,\n 2]\nx.b = 1", ("x", "a"), "x.b = 1"),
        ("p = { a = 1, b = 2, c = 3 }\n", ("p", "a"), "p = { b = 2, c = 3 }\n"),
        ("p = { a = 1, b = 2, c = 3 }\n", ("p", "b"), "p = { a = 1, c = 3 }\n"),
        ("p = { a = 1, b = 2 }\n", ("p", "b"), "p = { a = 1 }\n"),
        ("p = { a = 1 }\n", ("p", "a"), "p = {}\n"),
        ("[s.box]\nurl = 1\n[s.box.h]\nx = 1\n[t]\n", ("s", "box"), "[t]\n"),
    ],
)
def test_reset(text: str, path: tuple[str, ...], after: str) -> None:
    assert without(text, path) == after


def test_what_cannot_be_is_refused() -> None:
    for text in ("ui = 3\n", "[[ui]]\nx = 1\n"):
        with pytest.raises(EditError):
            with_value(text, ("ui", "mouse"), True)
    with pytest.raises(EditError, match="TOML"):
        with_value("", ("ui", "theme"), "\udc80")
    with pytest.raises(BrokenError) as error:
        with_value("[ui]\ntheme =\n", ("ui", "theme"), "x")
    assert error.value.finding.line == 2
