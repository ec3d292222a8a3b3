"""The same screen in fewer characters: for fonts without braille, and for terminals that have only ASCII.

Every character of ours becomes one of the same width, where it is painted. What people and models write
passes, unless the terminal has nothing but ASCII: then accents are dropped, and what is left becomes ``?``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui_chat.config.looks import Glyphs

_PAIRS = (
    ("─━═╌╍┄┅┈┉╴╶╸╺▔▀╼╾", "-#=-=-+-~----^^--"),
    ("│┃║▏▎▍▌▋▊▉▐▕┆┇┊┋", "||||||||||||||||"),
    ("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋╔╗╚╝", "+" * 26),
    ("▁▂▃▄▅▆▇█", "_.:-=+*#"),
    ("░▒▓▚▞▖▗▘▝▙▛▜▟■▪", ":-=%/.,'`##### *".replace(" ", "")),
    ("●◉◎○◐◑◦•‣", "*@@o%%o**"),
    ("✓✔✗✘☑☐", "vvxxxo"),
    ("←→↑↓↵⏎↳↰⇧", "<>^v<<\\/^"),
    ("▸▶▹▾▼▿◂◀◃▴▲›‹»«", ">>>vvv<<<^^><><"),
    ("·∙⋅…⋮⎇–—‑“”„‘’′×±≤≥≈°µ␛␡", "|...:Y---\"\"\"'''x~<>~ u??"),
    ("\u00a0\u2009\u202f", "   "),
)
_ASCII = {ord(ours): other for many, others in _PAIRS for ours, other in zip(many, others, strict=True)}
_ASCII[ord("🔎")] = "? "  # Textual's own, two cells wide

_TOP, _UPPER, _LOWER, _BOTTOM = 0x09, 0x12, 0x24, 0xC0
"""The dots of a braille cell, by their rows."""


def _rows(dots: int) -> list[bool]:
    return [bool(dots & row) for row in (_TOP, _UPPER, _LOWER, _BOTTOM)]


def _braille_in_ascii(dots: int) -> str:
    top, upper, lower, bottom = _rows(dots)
    if (top and bottom) or sum((top, upper, lower, bottom)) > 2:
        return "|"
    if top:
        return "'"
    return "-" if upper or (lower and not bottom) else "." if dots else " "


def _braille_in_blocks(dots: int) -> str:
    return next((block for block, row in zip("█▆▄▂", _rows(dots), strict=True) if row), " ")


_BLOCKS = {0x2800 + dots: _braille_in_blocks(dots) for dots in range(256)}
_SPELLED = {**_ASCII, **{0x2800 + dots: _braille_in_ascii(dots) for dots in range(256)}}


class Spelled(LineFilter):
    """Has what is painted spelt in other characters."""

    def __init__(self, glyphs: Glyphs, *, utf8: bool) -> None:
        """Make it for what a terminal can show."""
        super().__init__(enabled=glyphs is not Glyphs.UNICODE or not utf8)
        self._map: Mapping[int, str] = _SPELLED if glyphs is Glyphs.ASCII or not utf8 else _BLOCKS
        self._utf8 = utf8

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Spell a line."""
        return [
            segment
            if segment.control or segment.text.isascii()
            else segment._replace(text=self._spelt(segment.text))
            for segment in segments
        ]

    def _spelt(self, text: str) -> str:
        return spelt(text, self._map is _SPELLED, self._utf8)


@lru_cache(4096)
def spelt(text: str, in_ascii: bool, utf8: bool) -> str:
    """Return `text`, as wide as it is, in the characters there are."""
    if in_ascii:
        text = text.replace("··", "..").replace(".·", "..")  # what is free of a gauge
    text = text.translate(_SPELLED if in_ascii else _BLOCKS)
    return text if utf8 or text.isascii() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    width = cell_len(character)
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain if plain and len(plain) == width else "?" * width
