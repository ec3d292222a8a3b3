"""What of the screen's look depends on the terminal, and can be said where the terminal does not tell it."""

from __future__ import annotations

import enum


class Ability(enum.StrEnum):
    """How many colours there are to be used."""

    AUTO = "auto"
    TRUECOLOR = "truecolor"
    MANY = "256"
    FEW = "16"
    NONE = "none"


class Glyphs(enum.StrEnum):
    """Which characters lines, graphs and marks are made of; `BLOCK` is for fonts without braille."""

    AUTO = "auto"
    UNICODE = "unicode"
    BLOCK = "block"
    ASCII = "ascii"
