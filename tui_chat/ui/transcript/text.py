"""Text made safe for a terminal and cut to its cells.

Model output is untrusted: what reaches the screen has no control characters, and every cut respects
graphemes and the cells they occupy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len, split_graphemes

Span = tuple[int, int]
"""A range of character indices: start (inclusive) and end (exclusive)."""

TAB = 4
"""Columns between tab stops."""

_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_WIDE = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
_CLOSING = "、。，．・：；？！）］｝〉》」』】〕’”…ー々"  # noqa: RUF001 - these are what a line must not begin with
_UNIT = re.compile(f" +|[{_WIDE}][{_CLOSING}]*|[^ {_WIDE}]+")


def clean(text: str) -> str:
    r"""Replace what could drive a terminal by something visible, or by nothing.

    Escape and other C0 characters become their control pictures (``␛``), C1 characters and lone
    surrogates ``\N{REPLACEMENT CHARACTER}``, line separators a line feed; bidirectional marks vanish.
    Line ends become ``\n``; tabs stay.
    """
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(_neutral, text.replace("\r\n", "\n"))


def clean_line(text: str) -> str:
    """Return `text` safe for a terminal and on one line, for names and labels."""
    return " ".join(clean(text).split()) if not text.isprintable() else text


def _neutral(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in "\r\u2028\u2029":
        return "\n"
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "\N{REPLACEMENT CHARACTER}" if code < 0xA0 or 0xD800 <= code <= 0xDFFF else ""


def cells(text: str) -> int:
    """Return the number of terminal cells `text` occupies."""
    return len(text) if text.isascii() else cell_len(text)


def wrap(text: str, width: int) -> list[Span]:
    r"""Return the spans of the lines `text` takes at `width` cells, broken at words and at ``\n``.

    Spaces at a break belong to no span. A word wider than the line is cut between graphemes, and
    ideographs may be parted anywhere, except that closing punctuation never begins a line.
    """
    spans: list[Span] = []
    wrap_line = _wrap_ascii if text.isascii() else _wrap_cells
    for start, end in _lines(text):
        spans.extend(wrap_line(text, start, end, width))
    return spans


def chop(text: str, width: int) -> list[Span]:
    """Return the spans of one line cut strictly every `width` cells, as code is."""
    if text.isascii():
        return [(at, min(at + width, len(text))) for at in range(0, max(1, len(text)), width)]
    return list(_chop(text, 0, len(text), width)) or [(0, 0)]


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with its middle left out when it is longer."""
    if cells(text) <= width:
        return text
    if width < 2:
        return "…"[:width]
    head, tail = width // 2, (width - 1) // 2
    first = chop(text, max(1, head))[0]
    backwards = text[::-1]
    last = chop(backwards, max(1, tail))[0][1] if tail else 0
    return text[: first[1]] + "…" + text[len(text) - last :]


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, end
        start = end + 1
    yield start, len(text)


def _wrap_ascii(text: str, start: int, end: int, width: int) -> Iterator[Span]:
    while end - start > width:
        cut = text.rfind(" ", start, start + width + 1)
        if cut <= start or text[start:cut].isspace():
            cut = start + width
        yield start, cut
        start = cut
        while start < end and text[start] == " ":
            start += 1
        if start == end:
            return
    yield start, end


def _wrap_cells(text: str, start: int, end: int, width: int) -> Iterator[Span]:
    room = width
    at = stop = start
    for unit in _UNIT.finditer(text, start, end):
        first, last = unit.span()
        size = cells(unit.group())
        if text[first] == " " and size <= room:
            room -= size
            continue
        if size > room and stop > at:
            yield at, stop
            room = width
            at = first
        if text[first] == " ":
            at = stop = last
            continue
        if size > room:
            *whole, (first, last) = _chop(text, at, last, width)
            yield from whole
            at, size, room = first, cells(text[first:last]), width
        room -= size
        stop = last
    yield at, max(at, stop)


def _chop(text: str, start: int, end: int, width: int) -> Iterator[Span]:
    at, used = start, 0
    for first, _, size in split_graphemes(text[start:end])[0]:
        if used + size > width and start + first > at:
            yield at, start + first
            at, used = start + first, 0
        used += size
    if end > at:
        yield at, end
