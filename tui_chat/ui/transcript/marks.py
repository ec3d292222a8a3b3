"""Words that are looked for, marked wherever they are in view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style

from tui_chat.ui.transcript.lines import Content, Line, cut
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.text import Span


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked.

    Attributes:
        pattern: What is looked for.
        item, line, start: The one match that the person is at: its item, the line in it, and where in that.
    """

    pattern: re.Pattern[str]
    item: str
    line: int = 0
    start: int = 0

    def in_line(self, line: Line) -> list[Span]:
        """Return where the matches in a line are."""
        return [match.span() for match in self.pattern.finditer(line.text)]

    def painted(self, line: Line, at: tuple[str, int], palette: Palette) -> Content | None:
        """Return a line's content with its matches marked; None if there is none.

        `at` is the item that the line is of, and which of its lines it is.
        """
        spans = self.in_line(line) if at[1] else []  # the first line says who speaks
        if not spans:
            return None
        usual, here = palette.found, palette.focus + Style(reverse=True)
        current = self.start if at == (self.item, self.line) else -1
        return _styled(line.content, spans, [here if start == current else usual for start, _ in spans])


def _styled(content: Content, spans: Sequence[Span], styles: Sequence[Style]) -> Content:
    end = sum(len(segment.text) for segment in content)
    edges = [0, *(edge for span in spans for edge in span), end]
    pieces = cut([(s.text, s.style) for s in content], list(pairwise(edges)))
    styled: list[Segment] = []
    for number, piece in enumerate(pieces):
        style = styles[number // 2] if number % 2 else Style()
        styled += [Segment(text, (own or Style()) + style) for text, own, _ in piece]
    return tuple(styled)
