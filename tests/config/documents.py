"""TOML of any shape and style, for hypothesis: what people and programs write into configuration files."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from typing import Any

from hypothesis import strategies as st

names = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.sampled_from(["a.b", '"', "'", "#", " ", "=", "[x]", "ünï"]),
)
texts = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        ['""', '"""', "'''", "\\", "# no comment", "[no.table]", "a\nb\r\nc", '"\\""""', "x = 1"]
    ),
)
moments = st.one_of(
    st.datetimes().map(lambda moment: moment.replace(fold=0)),
    st.dates(),
    st.times().map(lambda moment: moment.replace(fold=0)),
)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    moments,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
trees = st.dictionaries(names, st.one_of(values, st.dictionaries(names, values, max_size=4)), max_size=5)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A well-formed document: tables by header, by dotted keys and inline, and blanks of all kinds."""
    return _Writer(draw).document(draw(trees))


class _Writer:
    def __init__(self, draw: st.DrawFn) -> None:
        self._choose = lambda *what: draw(st.sampled_from(what))
        self._end = self._choose("\n", "\r\n")

    def document(self, tree: dict[str, Any]) -> str:
        first, later = [], []
        for name, value in tree.items():
            own, headed = self._entry((), name, value)
            first += own
            later += headed
        text = "".join(first + later)
        return text.removesuffix(self._end) if self._choose(True, False) else text

    def _entry(self, above: tuple[str, ...], name: str, value: Any) -> tuple[list[str], list[str]]:
        """The lines of a value, and the blocks with headers that come after all such lines."""
        path = (*above, name)
        if (
            isinstance(value, dict)
            and value
            and (style := self._choose("header", "dotted", "inline")) != "inline"
        ):
            if style == "dotted":
                return [
                    self._line(f"{self._key(name)}{self._gap()}.{self._gap()}{self._key(key)}", each)
                    for key, each in value.items()
                ], []
            return [], self._block(path, value, "[", "]")
        tables = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
        if tables and self._choose(True, False):
            return [], [part for each in value for part in self._block(path, each, "[[", "]]")]
        return [self._line(self._key(name), value)], []

    def _block(self, path: tuple[str, ...], table: dict[str, Any], open: str, close: str) -> list[str]:
        head = f"{self._gap()}.{self._gap()}".join(self._key(part) for part in path)
        lines = [f"{self._gap()}{open}{self._gap()}{head}{self._gap()}{close}{self._comment()}{self._end}"]
        later: list[str] = []
        for name, value in table.items():
            own, headed = self._entry(path, name, value)
            lines += own
            later += headed
        return lines + later

    def _line(self, key: str, value: Any) -> str:
        blank = self._choose("", "", self._end, f"# x = 1{self._end}", f"  {self._comment()}{self._end}")
        said = f"{key}{self._gap()}={self._gap()}{self.value(value)}"
        return f"{blank}{self._gap()}{said}{self._comment()}{self._end}"

    def _gap(self) -> str:
        return self._choose("", " ", "\t ")

    def _comment(self) -> str:
        return self._choose("", "", "  # said", ' # "[t]" = {')

    def _key(self, name: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9_-]+", name) and self._choose(True, False, True):
            return name
        if name.isprintable() and "'" not in name and self._choose(True, False):
            return f"'{name}'"
        return self._basic(name)

    def value(self, value: Any) -> str:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return (
                repr(value).replace("e", ".0e" if "." not in repr(value) else "e")
                if value == value
                else "nan"
            )
        if isinstance(value, datetime | date | time):
            written = value.isoformat()
            return written.replace("T", self._choose("T", " ", "t"))
        if isinstance(value, dict):
            inner = f"{self._gap()},{self._gap()}".join(
                f"{self._key(key)}{self._gap()}={self._gap()}{self.value(each)}"
                for key, each in value.items()
            )
            return f"{{{self._gap()}{inner}{self._gap()}}}"
        return self._array(value)

    def _array(self, items: list[Any]) -> str:
        between = [self._choose("", " ", self._end, f"  # , ]{self._end}") for _ in range(2 * len(items) + 1)]
        inner = "".join(
            f"{between[2 * n]}{self.value(each)}{between[2 * n + 1]}," for n, each in enumerate(items)
        )
        if inner and self._choose(True, False):
            inner = inner.removesuffix(",")
        return f"[{inner}{between[-1]}]"

    def _text(self, text: str) -> str:
        plain = all(each.isprintable() or each == "\n" for each in text)
        styles = ["basic"]
        if plain and "\n" not in text and "'" not in text:
            styles.append("'")
        if plain and "'''" not in text and not text.endswith("'"):
            styles.append("'''")
        styles.append('"""')
        style = self._choose(*styles)
        if style == "basic":
            return self._basic(text)
        if style == '"""':
            inner = self._basic(text)[1:-1].replace("\\n", self._choose("\\n", "\n"))
            return f'"""{self._end}{inner}"""'
        return f"{style}{self._end if style == chr(39) * 3 else ''}{text}{style}"

    def _basic(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
