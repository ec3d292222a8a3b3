"""Tables fitted to a width: natural columns, then narrower ones with wrapped cells, then records."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.segment import Segment
from rich.style import Style

from tui_chat.ui.transcript.lines import Content, Run, flow, prefix, width_of
from tui_chat.ui.transcript.palette import Palette
from tui_chat.ui.transcript.text import cells

_BETWEEN = 2
_NARROWEST = 6

Cell = list[Run]


class Table(msgspec.Struct, frozen=True):
    """A header, rows of as many cells, and for each column `left`, `right` or `center`."""

    header: list[Cell]
    rows: list[list[Cell]]
    aligns: list[str]


def table_lines(table: Table, width: int, palette: Palette) -> list[Content]:
    """Lay a table out in at most `width` cells, leaving nothing out."""
    header: list[Cell] = [
        [(text, (style or Style()) + Style(bold=True)) for text, style in cell] for cell in table.header
    ]
    natural = [max(map(_width, column)) for column in zip(header, *table.rows, strict=True)]
    widths = fit(natural, width - _BETWEEN * (len(natural) - 1))
    if widths is None:
        return _records(header, table.rows, width, palette)
    lines = _row(header, widths, table.aligns)
    lines.append((Segment("─" * (sum(widths) + _BETWEEN * (len(widths) - 1)), palette.rule),))
    wrapped = widths != natural
    for index, row in enumerate(table.rows):
        if wrapped and index:
            lines.append(())
        lines.extend(_row(row, widths, table.aligns))
    return lines


def fit(natural: Sequence[int], room: int) -> list[int] | None:
    """Narrow the widest columns until all fit in `room` cells; None when they would be too narrow."""
    if sum(natural) <= room:
        return list(natural)
    if sum(min(size, _NARROWEST) for size in natural) > room:
        return None
    cap = _NARROWEST
    while sum(min(size, cap + 1) for size in natural) <= room:
        cap += 1
    widths = [min(size, cap) for size in natural]
    spare = room - sum(widths)
    for index, size in enumerate(natural):
        if spare and widths[index] < size:
            widths[index] += 1
            spare -= 1
    return widths


def _width(cell: Cell) -> int:
    return max(map(cells, "".join(text for text, _ in cell).split("\n")))


def _row(row: Sequence[Cell], widths: Sequence[int], aligns: Sequence[str]) -> list[Content]:
    columns = [flow(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines: list[Content] = []
    for index in range(max(map(len, columns))):
        segments: list[Segment] = []
        for number, (column, width, align) in enumerate(zip(columns, widths, aligns, strict=True)):
            content = column[index] if index < len(column) else ()
            missing = max(0, width - width_of(content))
            before = missing if align == "right" else missing // 2 if align == "center" else 0
            last = number == len(widths) - 1
            after = 0 if last else missing - before + _BETWEEN
            segments += [Segment(" " * before), *content, Segment(" " * after)]
        lines.append(tuple(segment for segment in segments if segment.text))
    return lines


def _records(header: list[Cell], rows: list[list[Cell]], width: int, palette: Palette) -> list[Content]:
    lines: list[Content] = []
    for row in rows or [[[] for _ in header]]:
        if lines:
            lines.append((Segment("─" * min(width, 8), palette.rule),))
        for name, cell in zip(header, row, strict=True):
            runs = [*name, (": ", palette.muted), *cell]
            lines.extend(prefix((), (Segment("  "),), flow(runs, max(1, width - 2))))
    return lines
