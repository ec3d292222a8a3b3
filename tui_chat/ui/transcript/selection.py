"""Selection that survives corrections of heights: a line is named by its entry and its place in it.

Textual keeps a selection as offsets whose `y` it only compares. A `y` made of the entry's index and
the line within the entry orders as lines do, yet stays true when the entries above change their heights.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection

from tui_chat.ui.transcript.lines import Content, Line, cut
from tui_chat.ui.transcript.text import cells

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
    span = selection.get_span(y)
    if span is None:
        return content
    length = sum(len(segment.text) for segment in content)
    start, end = span[0], length if span[1] < 0 else min(span[1], length)
    if start >= end:
        return content
    runs = [(segment.text, segment.style) for segment in content]
    before, chosen, after = cut(runs, [(0, start), (start, end), (end, length)])
    marked = (Segment(text, (own or Style()) + style) for text, own, _ in chosen)
    return (*before, *marked, *after)


def extract(lines: Sequence[Line], selection: Selection, entry: int) -> list[str]:
    """Return the selected text of an entry's lines, without margins and trailing spaces."""
    out: list[str] = []
    for number, line in enumerate(lines):
        span = selection.get_span(key(entry, number))
        if span is not None:
            text = "".join(segment.text for segment in line.content)
            out.append(text[span[0] : None if span[1] < 0 else span[1]].rstrip())
    return out


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

    The first `margin` segments are no part of the text: a click on them means its beginning.
    """
    out: list[Segment] = []
    x = 0
    for number, (text, style, _) in enumerate(segments):
        style = style or Style()
        if number < margin:
            mark = Style(meta={"offset": (0, y)})
            out.extend(Segment(" ", style + mark) for _ in range(cells(text)))
        else:
            out.append(Segment(text, style + Style(meta={"offset": (x, y)})))
            x += len(text)
    return out


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_-"
