"""What is painted, made fit for terminals with few colours or none: legible there, and still telling.

Textual maps each colour to the nearest one there is, text and ground each for itself; both may become one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color import ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import BLACK, WHITE, Color
from textual.filter import LineFilter

from tui_chat.config.looks import Ability
from tui_chat.ui.themes.contrast import MARK, TEXT, contrast, luminance

_PLAIN = Style.from_color(RichColor.default(), RichColor.default())
_REVERSED = _PLAIN + Style(reverse=True)
_ON_DARK, _ON_LIGHT = (7, 10, 11, 14, 15), (0, 1, 4, 5)
_MIDDLE = 0.18
"""A ground that is less luminous is dark: white shows better on it than black."""
_STEPS = 12
_OUTSTANDING = 1.3
"""A ground whose contrast to the one around it is more is there to be noticed."""
_QUIET = 0.6
"""Text with less than this share of the contrast of black and white is dimmed where there are no colours."""


class Fitted(LineFilter):
    """Keeps text legible when its colours are mapped to the few there are, or leaves them all out."""

    def __init__(self, colors: Ability) -> None:
        """Make it for that many colours."""
        super().__init__()
        self._fit = _FITS[colors]

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Fit a line."""
        return [
            Segment(text, style and self._fit(style, background), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _reversed(style: Style, background: Color) -> Style:
    """Leave a style as it is, but reverse what lies on a named ground: nobody knows which inks show on it."""
    under = style.color if style.reverse else style.bgcolor
    named = under is not None and under.is_system_defined and not under.is_default
    return style + _REVERSED if named else style


@lru_cache(4096)
def _many(style: Style, background: Color) -> Style:
    """Map a style to 256 colours, its ink moved towards black or white until it is as legible as it was."""
    if not _is_rgb(style):
        return _reversed(style, background)
    ink, under = _ink(style), _under(style, background)
    mapped = under.rich_color.downgrade(ColorSystem.EIGHT_BIT)
    seen = Color(*mapped.get_truecolor())
    floor = min(TEXT, contrast(ink, under))
    towards = WHITE if luminance(seen) < _MIDDLE else BLACK
    for step in range(_STEPS + 1):
        tried = ink.blend(towards, step / _STEPS).rich_color.downgrade(ColorSystem.EIGHT_BIT)
        if contrast(Color(*tried.get_truecolor()), seen) >= floor:
            break
    return style + Style.from_color(tried, None if style.bgcolor is None else mapped)


@lru_cache(4096)
def _few(style: Style, background: Color) -> Style:
    """Map a style to a black or white ground, and those of the sixteen colours that show on it anywhere."""
    if not _is_rgb(style):
        return _reversed(style, background)
    under = _under(style, background)
    stands_out = style.bgcolor is not None and contrast(under, background) >= _OUTSTANDING
    dark = luminance(background) < _MIDDLE
    inks, usual, ground = (_ON_DARK, 15, 0) if dark else (_ON_LIGHT, 0, 15)
    number = _ink(style).rich_color.downgrade(ColorSystem.STANDARD).number or 0
    number = next((each for each in (number, number ^ 8) if each in inks), usual)
    colours = Style.from_color(RichColor.from_ansi(number), RichColor.from_ansi(ground))
    return style + colours + Style(reverse=True) if stands_out else style + colours


def _is_rgb(style: Style) -> bool:
    return all(c is None or c.type is ColorType.TRUECOLOR for c in (style.color, style.bgcolor))


def _ink(style: Style) -> Color:
    return WHITE if style.color is None else Color.from_rich_color(style.color)


def _under(style: Style, background: Color) -> Color:
    return background if style.bgcolor is None else Color.from_rich_color(style.bgcolor)


@lru_cache(4096)
def _without(style: Style, background: Color) -> Style:
    """Leave the colours out: a ground that stands out becomes reversed, quiet text is dimmed."""
    ground, ink = _under(style, background), _ink(style)
    if style.bgcolor is not None and contrast(ground, background) >= _OUTSTANDING:
        return style + Style(dim=False) + _REVERSED
    quiet = MARK <= contrast(ink, ground) < 21 * _QUIET and not style.bold and not style.reverse
    return style + Style(dim=quiet or None) + _PLAIN


_FITS: Mapping[Ability, Callable[[Style, Color], Style]] = {
    Ability.TRUECOLOR: _reversed,
    Ability.MANY: _many,
    Ability.FEW: _few,
    Ability.NONE: _without,
}
