"""How well one colour can be told from another, as WCAG 2.2 reckons it, and colours made to be."""

from __future__ import annotations

from collections.abc import Iterable

from textual.color import BLACK, WHITE, Color

TEXT = 4.5
"""The least contrast of text and its ground."""
HIGH = 7.0
"""The same in themes for people who need more."""
MARK = 3.0
"""The least contrast of what tells something without being text: bars, gauges, marks."""

_STEPS = 40


def luminance(color: Color) -> float:
    """Return how light a colour is: 0 is black, 1 is white."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two opaque colours: from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def legible(ink: Color, grounds: Iterable[Color], floor: float = TEXT) -> Color:
    """Return `ink`, or what of its kind has a contrast of `floor` to all `grounds`; at worst black or white.

    Colours of the terminal's own are returned as they are: nobody knows what they look like.
    """
    opaque = [ground for ground in grounds if ground.ansi is None]
    if ink.ansi is not None or not opaque:
        return ink
    worst = max if sum(map(luminance, opaque)) / len(opaque) < 0.18 else min
    towards = WHITE if worst is max else BLACK
    against = worst(opaque, key=luminance)
    for step in range(_STEPS + 1):
        tried = ink.blend(towards, step / _STEPS, alpha=1)
        if contrast(tried, against) >= floor:
            return tried
    return towards
