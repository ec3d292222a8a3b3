"""Selection that survives corrections of heights: a line is named by its entry and its place in it.

Textual keeps a selection as offsets whose `y` it only compares. A `y` made of the entry's index and
the line within the entry orders as lines do, yet stays true when the entries above change their heights.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection

from tui_chat.ui.transcript.lines import Content, Line, cut

_SHIFT = 24

Words = tuple[int, int]


def key(entry: int, line: int) -> int:
    """Return the `y` of a line of an entry."""
    return (entry << _SHIFT) + line


def place(y: int) -> tuple[int, int]:
    """Return the entry and the line within it that a `y` names."""
    return y >> _SHIFT, y & ((1 << _SHIFT) - 1)


def painted(content: Content, selection: Selection, y: int, style: Style) -> Content:
    """Return a line's content with its selected characters in `style` over their own."""
    text = "".join(segment.text for segment in content)
    start, end = chosen(text, selection, y)
    if start >= end:
        return content
    runs = [(segment.text, segment.style) for segment in content]
    before, marked, after = cut(runs, [(0, start), (start, end), (end, len(text))])
    return (*before, *(Segment(text, (own or Style()) + style) for text, own, _ in marked), *after)


def extract(lines: Sequence[Line], selection: Selection, entry: int) -> list[str]:
    """Return the selected text of an entry's lines, without margins and trailing spaces."""
    out: list[str] = []
    for number, line in enumerate(lines):
        y = key(entry, number)
        if selection.get_span(y) is not None:
            text = "".join(segment.text for segment in line.content)
            start, end = chosen(text, selection, y)
            out.append(text[start:end].rstrip())
    return out


def chosen(text: str, selection: Selection, y: int) -> Words:
    """Return the selected span of a line's text, never a part of a grapheme; empty if none is."""
    span = selection.get_span(y)
    if span is None:
        return 0, 0
    start, end = span[0], len(text) if span[1] < 0 else min(span[1], len(text))
    if not text.isascii():
        for first, last, _ in split_graphemes(text)[0]:
            start = first if first < start < last else start
            end = last if first < end < last else end
    return start, end


def word_at(text: str, index: int) -> Words | None:
    """Return the span of the word around a character, or None where there is none."""
    if not 0 <= index < len(text) or text[index].isspace():
        return None
    inside = _is_word(text[index])
    start, end = index, index + 1
    while start > 0 and not text[start - 1].isspace() and _is_word(text[start - 1]) == inside:
        start -= 1
    while end < len(text) and not text[end].isspace() and _is_word(text[end]) == inside:
        end += 1
    return start, end


def offsets(segments: Sequence[Segment], margin: int, y: int) -> list[Segment]:
    """Return segments that tell Textual which character of line `y` is under each cell.

    The first `margin` segments are no part of the text: a click on them means its beginning. Each
    cell of a wide character means that character.
    """
    out: list[Segment] = []
    x = 0
    for number, (text, style, _) in enumerate(segments):
        style = style or Style()
        if number >= margin and text.isascii():
            out.append(Segment(text, style + _mark(x, y)))
        else:
            for first, _, size in split_graphemes(text)[0]:
                at = _mark(x + first if number >= margin else 0, y)
                out.extend(Segment(" ", style + at) for _ in range(size))
        x += len(text) if number >= margin else 0
    return out


def _mark(x: int, y: int) -> Style:
    return Style(meta={"offset": (x, y)})


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_-"
