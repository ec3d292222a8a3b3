"""The unit of rendering: one line of styled text, and runs of text cut into lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from tui_chat.ui.transcript.text import Span, cells, wrap

Content = tuple[Segment, ...]
"""What a line says."""

Run = tuple[str, Style | None]
"""A stretch of text in one style."""


class Line(NamedTuple):
    """One line on the screen: what it says, and what stands before it but is no part of its text."""

    content: Content
    margin: Content = ()

    @property
    def text(self) -> str:
        """What the line says, without its margin and without trailing spaces."""
        return "".join(segment.text for segment in self.content).rstrip()


BLANK = Line(())
"""An empty line."""


def width_of(content: Iterable[Segment]) -> int:
    """Return the cells a line's segments occupy."""
    return sum(cells(segment.text) for segment in content)


def cut(runs: Sequence[Run], spans: Sequence[Span]) -> list[Content]:
    """Cut runs at ascending spans of their joined text; each span becomes the content of a line."""
    lines: list[Content] = []
    index = offset = 0
    for start, end in spans:
        segments: list[Segment] = []
        while index < len(runs):
            text, style = runs[index]
            if offset + len(text) > start:
                piece = text[max(0, start - offset) : end - offset]
                if piece and offset < end:
                    segments.append(Segment(piece, style))
                if offset + len(text) > end:
                    break
            offset += len(text)
            index += 1
        lines.append(tuple(segments))
    return lines


def flow(runs: Sequence[Run], width: int) -> list[Content]:
    """Wrap runs into lines of at most `width` cells."""
    return cut(runs, wrap("".join(text for text, _ in runs), max(1, width)))


def plain(text: str, width: int, style: Style | None = None) -> list[Content]:
    """Wrap text of one style into lines of at most `width` cells."""
    return [
        (Segment(text[start:end], style),) if end > start else () for start, end in wrap(text, max(1, width))
    ]


def pad(content: Content, width: int, style: Style | None = None) -> Content:
    """Extend a line to `width` cells."""
    missing = width - width_of(content)
    return (*content, Segment(" " * missing, style)) if missing > 0 else content


def prefix(first: Content, rest: Content, lines: Sequence[Content]) -> list[Content]:
    """Put `first` before the first line and `rest` before the others."""
    return [(*(rest if index else first), *line) for index, line in enumerate(lines)]
