"""Numbers drawn in text: bars, and a line over time in dots of braille."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

FILLS = "█▓▒▚▞"
"""What the parts of a bar are made of, in their order, so that they are told apart without colours too."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BLANK = 0x2800
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The bits of a cell's dots: of its two columns, from the bottom up."""


def bar(share: float, width: int) -> str:
    """Return a bar of a `share` (0 to 1) of `width` cells, to the eighth; some share is never nothing."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def shares(amounts: Iterable[int], whole: int, cells: int, room: int | None = None) -> tuple[list[int], int]:
    """Share `cells`, which stand for a `whole`, out among amounts of it; only `room` of them if it is given.

    Returns:
        The cells of each, at least one of whatever is there as long as there are any; and what is left.
    """
    left = cells if room is None else room
    taken = []
    for amount in amounts:
        mine = min(left, max(1, round(amount * cells / max(1, whole)))) if amount else 0
        taken.append(mine)
        left -= mine
    return taken, left


def plot(values: Sequence[float], width: int, height: int) -> list[str]:
    """Return `values` as a line from left to right, on `height` lines of `width` cells, the top one first.

    The bottom is 0, and the top the largest of them. Two values go into each cell; of more than there is room
    for, those that fall together are averaged, of fewer each takes several columns.
    """
    columns = _levels(values, width * 2, height * 4)
    rows = [[_BLANK] * width for _ in range(height)]
    before = columns[0] if columns else 0
    for x, level in enumerate(columns):
        low, high = sorted((before, level))
        for y in range(low + (low < level), high + 1 - (high > level)) or (level,):
            rows[height - 1 - y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        before = level
    return ["".join(map(chr, row)) for row in rows]


def _levels(values: Sequence[float], columns: int, levels: int) -> list[int]:
    """Return for each column how high its value is: from 0 to `levels` - 1."""
    most = max(values, default=0.0)
    if most <= 0:
        return [0] * columns if values else []
    found = []
    for x in range(columns):
        first = x * len(values) // columns
        last = max(first + 1, (x + 1) * len(values) // columns)
        among = values[first:last]
        found.append(round(sum(among) / len(among) / most * (levels - 1)))
    return found
