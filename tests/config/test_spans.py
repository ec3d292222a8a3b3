"""Places in TOML files, held against tomllib: what is found at each place is what tomllib reads."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.documents import documents, trees
from tui_chat.config.spans import Layout, layout


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """Every value that is no table and no array, by its path."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {p: leaf for key, each in items for p, leaf in leaves(each, (*path, key)).items()}
    return {path: value}


def read_back(found: Layout) -> dict[tuple[str | int, ...], Any]:
    """What stands at each place, read by itself."""
    return {
        path: tomllib.loads(f"x = {found.text[span.start : span.end]}")["x"]
        for path, span in found.values.items()
    }


def agrees(text: str) -> None:
    document, found = tomllib.loads(text), layout(text)
    read = read_back(found)
    simple = {path: each for path, each in read.items() if not isinstance(each, dict | list)}
    assert repr(simple) == repr({path: leaves(document)[path] for path in simple})
    assert simple.keys() == leaves(document).keys()
    for each in found.statements:
        stated = text[each.key.start : each.value.end]
        assert tomllib.loads(stated).keys() == {each.path[each.prefix]}, "a statement stands by itself"
        assert text.count("\n", 0, each.value.start) + 1 == found.line(each.path)


@settings(max_examples=100)
@given(documents())
def test_values_stand_where_it_is_said(text: str) -> None:
    agrees(text)


@given(trees, st.booleans())
def test_it_reads_what_tomli_w_writes(tree: dict[str, Any], long: bool) -> None:
    agrees(tomli_w.dumps(tree, multiline_strings=long))


def test_lines_of_tables_and_of_what_is_in_them() -> None:
    text = '# first\n[ui]\ntheme = "x"\n[servers."a.b"]\nurl = """\nx"""\n'
    text += "headers = { a = 1 }\n[[x]]\n[[x]]\ny.z = 1\n"
    found = layout(text)
    lines = {
        ("ui",): 2, ("ui", "theme"): 3, ("servers",): 4, ("servers", "a.b"): 4, ("servers", "a.b", "url"): 5,
        ("servers", "a.b", "headers", "a"): 7, ("x", 1): 9, ("x", 1, "y"): 10, ("ui", "mouse"): 2,
    }  # fmt: skip
    assert {path: found.line(path) for path in lines} == lines
    assert found.line(("nowhere",)) is None
