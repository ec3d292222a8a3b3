"""Cells of the screen, and the pens they are written with: pure, and made from Rich's segments."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

_DRIVING = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))),
    **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
}
"""What would drive the terminal instead of being seen, and takes no cell; half characters take one."""
_SEEN_ON_BLANKS = ("underline", "underline2", "reverse", "strike", "overline", "frame", "encircle", "link")


class Pen(NamedTuple):
    """How a cell is written: codes of SGR for attributes, text and ground, and the link it belongs to."""

    attributes: str = ""
    colour: str = ""
    ground: str = ""
    link: str = ""

    @property
    def bare(self) -> bool:
        """Whether a blank written with it is nothing but ground."""
        return not (self.attributes or self.colour or self.link)


PLAIN = Pen()


class Cell(NamedTuple):
    """What stands in one column. A wide character has its text in the first of two, and "" in the second.

    Of one that is not `sure`, terminals have different opinions how wide it is.
    """

    text: str
    pen: Pen
    sure: bool = True


BLANK = Cell(" ", PLAIN)


def cells_of(strips: Iterable[Strip], colours: ColorSystem) -> list[Cell]:
    """Lay strips out in cells."""
    out: list[Cell] = []
    for strip in strips:
        for text, style, control in strip:
            if not control:
                out += _segment(text, style or Style.null(), colours)
    return out


@lru_cache(8192)
def _segment(text: str, style: Style, colours: ColorSystem) -> tuple[Cell, ...]:
    pen, on_blanks = _pens(style, colours)
    text = text.translate(_DRIVING)
    if text.isascii():
        return tuple(Cell(char, on_blanks if char == " " else pen) for char in text)
    out: list[Cell] = []
    for start, end, width in split_graphemes(text)[0]:
        grapheme = text[start:end]
        if width:
            out.append(Cell(grapheme, on_blanks if grapheme == " " else pen, _sure(grapheme, width)))
            out += [Cell("", pen, out[-1].sure)] * (width - 1)
        elif out:
            out[-1] = out[-1]._replace(text=out[-1].text + grapheme, sure=False)
    return tuple(out)


def _sure(grapheme: str, width: int) -> bool:
    if len(grapheme) > 1:
        return False
    return ord(grapheme) < 0x1F000 if width == 1 else "\u1100" <= grapheme <= "\uffef" and grapheme > "\u2e7f"


@lru_cache(4096)
def _pens(style: Style, colours: ColorSystem) -> tuple[Pen, Pen]:
    """The pens for what is written in a style, and for its blanks, on which only some of it is seen."""
    link = f"id={style.link_id};{style.link}" if style.link else ""
    attributes = Strip.render_ansi(style.without_color, colours)
    ground = _codes(style.bgcolor, colours, text=False)
    pen = Pen(attributes, _codes(style.color, colours, text=True), ground, link)
    return pen, pen if any(getattr(style, name) for name in _SEEN_ON_BLANKS) else Pen(ground=ground)


def _codes(colour: Color | None, colours: ColorSystem, *, text: bool) -> str:
    return (
        ""
        if colour is None or colour.is_default
        else ";".join(colour.downgrade(colours).get_ansi_codes(text))
    )
