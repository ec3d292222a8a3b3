"""Draws the cells of a terminal as pixels, in a font that has what the screens show."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

PLAIN, BOLD, REST = "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSans.ttf"
"""The last has what the others lack."""
LACKING = {"⎇", *map(chr, range(0x2800, 0x2900))}
HEIGHT = 16
"""Of the letters, in pixels."""


class Cell(NamedTuple):
    """What one place of the terminal shows; colours as ``#rrggbb``. A wide letter's second half is empty."""

    text: str
    ink: str
    ground: str
    bold: bool = False
    underline: bool = False


class Grid(NamedTuple):
    """Width and height of a cell, in pixels."""

    width: int
    height: int


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(name, HEIGHT)
    except OSError:
        sys.exit(f"{name} is missing; on Debian: apt-get install fonts-dejavu-core")


@cache
def grid() -> Grid:
    """How large cells are drawn."""
    rise, fall = _font(PLAIN).getmetrics()
    return Grid(round(_font(PLAIN).getlength("M")), rise + fall)


def draw(rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """Draw rows of cells, all as long as the first."""
    width, height = grid()
    image = Image.new("RGB", (len(rows[0]) * width, len(rows) * height))
    brush = ImageDraw.Draw(image)
    places = [(x * width, y * height, cell) for y, row in enumerate(rows) for x, cell in enumerate(row)]
    for x, y, cell in places:
        brush.rectangle((x, y, x + width - 1, y + height - 1), fill=cell.ground)
    for x, y, cell in places:
        _letter(brush, x, y, cell)
    return image


def _letter(brush: ImageDraw.ImageDraw, x: int, y: int, cell: Cell) -> None:
    width, height = grid()
    if blocks := list(_blocks(cell.text, x, y)):
        for block in blocks:
            brush.rectangle(block, fill=cell.ink)
    elif cell.text.strip():
        rest = cell.text in LACKING
        name = REST if rest else BOLD if cell.bold else PLAIN
        stretch = (width - _font(name).getlength(cell.text)) / 2 if rest else 0
        brush.text((x + stretch, y), cell.text, fill=cell.ink, font=_font(name))
    if cell.underline:
        brush.line((x, y + height - 2, x + width - 1, y + height - 2), fill=cell.ink)


def _blocks(text: str, x: int, y: int) -> Iterator[tuple[float, float, float, float]]:
    """The rectangle of a block that fills a part of its cell from below or from the left, without seams."""
    width, height = grid()
    number = ord(text[0]) - 0x2580 if text else -1
    if 1 <= number <= 8:
        yield x, y + height - height * number // 8, x + width - 1, y + height - 1
    elif 9 <= number <= 15:
        yield x, y, x + width * (16 - number) // 8 - 1, y + height - 1
