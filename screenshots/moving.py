"""Draws a recorded session as a moving picture, for where no terminal can play it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyte
from PIL import Image
from pyte.screens import Char

from screenshots.pixels import Cell, draw

FRAME_S = 0.1
LAST_S = 4.0
"""How long the last frame stays before all begins anew."""
COLOURS = 64
GROUND, INK = "#11141a", "#d9dde4"


def draw_moving(file: Path, pieces: Sequence[tuple[float, bytes]], columns: int, rows: int) -> None:
    """Write a GIF of what `pieces`, each with the second when it was painted, show one after the other."""
    frames = list(_frames(pieces, columns, rows))
    ends = [*(at for at, _ in frames[1:]), frames[-1][0] + LAST_S]
    lasting = [round((end - at) * 1000) for (at, _), end in zip(frames, ends, strict=True)]
    palette = frames[len(frames) // 2][1].quantize(COLOURS, dither=Image.Dither.NONE)
    images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for _, image in frames]
    images[0].save(file, save_all=True, append_images=images[1:], duration=lasting, loop=0, optimize=True)


def _frames(
    pieces: Sequence[tuple[float, bytes]], columns: int, rows: int
) -> Iterator[tuple[float, Image.Image]]:
    """Yield a picture of the terminal whenever it has changed, and when that was."""
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    shown = -FRAME_S
    for number, (at, piece) in enumerate(pieces):
        stream.feed(piece)
        due = pieces[number + 1][0] if number + 1 < len(pieces) else at + FRAME_S
        if due - shown >= FRAME_S and screen.dirty:
            screen.dirty.clear()
            shown = at
            yield at, draw([[_cell(screen, x, y) for x in range(columns)] for y in range(rows)])


def _cell(screen: pyte.Screen, x: int, y: int) -> Cell:
    char: Char = screen.buffer[y][x]
    ink, ground = _colour(char.fg, INK), _colour(char.bg, GROUND)
    here = not screen.cursor.hidden and (screen.cursor.x, screen.cursor.y) == (x, y)
    if char.reverse != here:
        ink, ground = ground, ink
    return Cell(char.data, ink, ground, char.bold, char.underscore)


def _colour(name: str, otherwise: str) -> str:
    return otherwise if name == "default" else f"#{name}"
