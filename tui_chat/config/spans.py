"""Where in a TOML file what stands: tomllib tells values without places, this tells places without values.

For well-formed files only: whoever asks has parsed the text with tomllib first.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Names of tables and keys, and numbers of the items of arrays."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_REST_OF_LINE = re.compile(r"[^\n]*")
_DATE_AND_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:[0-9:.Zz+-]*")
_SCALAR = re.compile(r"[^ \t\r\n#,\]}]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?!')", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, by offsets into it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A ``key = value`` of its own line.

    Attributes:
        path: Of the value, from the root.
        block: The number of the block it stands in.
        prefix: How many parts of `path` the block's header says; the rest stand before the ``=``.
        key, value: What stands on the two sides of the ``=``.
    """

    path: Path
    block: int
    prefix: int
    key: Span
    value: Span


@dataclass(frozen=True, slots=True)
class Block:
    """What a header begins; the first block has none, and is the root's."""

    path: Path
    header: Span


@dataclass(slots=True)
class Layout:
    """Where everything in a text is.

    Attributes:
        statements, blocks: In the order of the text.
        values: Every value, those inside of arrays and inline tables too.
        keys: The keys of what stands inside of inline tables.
    """

    text: str
    statements: list[Statement] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    values: dict[Path, Span] = field(default_factory=dict)
    keys: dict[Path, Span] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The number of the line on which `path`, or what holds it, is first said; from 1."""
        at = self.values.get(path)
        if at is None:
            heads = [block.header.start for block in self.blocks if block.path[: len(path)] == path]
            below = [each.key.start for each in self.statements if each.path[: len(path)] == path]
            offset = min(heads + below, default=None) if path else None
        else:
            offset = at.start
        if offset is not None:
            return line_at(self.text, offset)
        return self.line(path[:-1]) if path else None


def line_at(text: str, offset: int) -> int:
    """The number of the line that `offset` is on, from 1."""
    return text.count("\n", 0, offset) + 1


def layout(text: str) -> Layout:
    """Find where everything in `text`, which is well-formed, is."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found = Layout(text, blocks=[Block((), Span(0, 0))])
        self._arrays: dict[Path, int] = {}  # of tables: how many of each there are so far

    def scan(self) -> Layout:
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._found
            if self._text[self._at] == "[":
                self._header()
            else:
                self._statement()

    def _header(self) -> None:
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        names = self._key()
        self._at += 2 if many else 1
        path: Path = ()
        for number, name in enumerate(names):
            path = (*path, name)
            if many and number == len(names) - 1:
                self._arrays[path] = self._arrays.get(path, -1) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path])
        self._found.blocks.append(Block(path, Span(start, self._at)))

    def _statement(self) -> None:
        block = self._found.blocks[-1].path
        start = self._at
        path = (*block, *self._key())
        key = Span(start, self._at)
        self._after_equals()
        value = self._value(path)
        number = len(self._found.blocks) - 1
        self._found.statements.append(Statement(path, number, len(block), key, value))

    def _key(self) -> list[str]:
        """The parts of the key here; the end is after the last of them, or the blanks that follow it."""
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            parts.append(self._part())
            end = self._at
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                self._at = end if self._text[self._at] == "=" else self._at
                return parts
            self._at += 1

    def _part(self) -> str:
        start = self._at
        quote = self._text[start]
        self._skip(_BASIC if quote == '"' else _LITERAL if quote == "'" else _BARE)
        written = self._text[start : self._at]
        return str(tomllib.loads(f"part = {written}")["part"]) if quote in "\"'" else written

    def _value(self, path: Path) -> Span:
        start = self._at
        match self._text[start]:
            case "[":
                self._array(path)
            case "{":
                self._inline(path)
            case '"':
                self._skip(_LONG_BASIC if self._text.startswith('"""', start) else _BASIC)
            case "'":
                self._skip(_LONG_LITERAL if self._text.startswith("'''", start) else _LITERAL)
            case _:
                self._skip(_DATE_AND_TIME if _DATE_AND_TIME.match(self._text, start) else _SCALAR)
        span = self._found.values[path] = Span(start, self._at)
        return span

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                break
            self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                break
            start = self._at
            inner = (*path, *self._key())
            self._found.keys[inner] = Span(start, self._at)
            self._after_equals()
            self._value(inner)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _after_equals(self) -> None:
        self._skip(_SPACE)
        self._at += 1
        self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        assert found is not None, "asked about a text that is not well-formed"
        self._at = found.end()
