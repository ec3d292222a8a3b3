"""What a theme says beyond Textual's own fields: every colour of ours by its meaning."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec
from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui_chat.ui.themes.contrast import MARK, TEXT, contrast, legible


class Kind(enum.Enum):
    """What a variable is, and with that what it has to be told from."""

    INK = "ink"
    """Of text, so it must be legible on all grounds."""
    GROUND = "ground"
    """Text lies on it."""
    LINE = "line"
    """Of lines that only part things."""
    STYLE = "style"
    """No colour, but ``none``, ``bold``, ``italic``, ``underline`` or two of them."""


class Variable(msgspec.Struct, frozen=True):
    """One of our variables.

    Attributes:
        kind: What it is.
        source: The colour of a theme that stands in where a theme, such as one of Textual's, has none.
        towards: How far that is then taken towards the ground, from 0 to 1.
        usual: What it is if it is no colour; of a ground, what it is among the terminal's own colours.
    """

    kind: Kind
    source: str = "foreground"
    towards: float = 0.0
    usual: str = ""


def _ink(source: str, towards: float = 0.0) -> Variable:
    return Variable(Kind.INK, source, towards)


OUR_VARIABLES: Mapping[str, Variable] = {
    "muted": _ink("foreground", 0.35),
    "faint": _ink("foreground", 0.45),
    "rule": Variable(Kind.LINE, "foreground", 0.75),
    "bar": Variable(Kind.LINE, "accent", 0.45),
    "chosen": Variable(Kind.GROUND, "primary", 0.85, "ansi_bright_black"),
    "chosen-style": Variable(Kind.STYLE, usual="bold"),
    "selection": Variable(Kind.GROUND, "primary", 0.6, "ansi_bright_black"),
    "selection-text": Variable(Kind.INK, "foreground"),
    "role-user": _ink("accent"),
    "role-assistant": _ink("foreground"),
    "heading": _ink("primary"),
    "link": _ink("primary"),
    "found": _ink("warning"),
    "code": _ink("secondary"),
    "code-ground": Variable(Kind.GROUND, "foreground", 0.945),
    "syntax-comment": _ink("foreground", 0.45),
    "syntax-keyword": _ink("accent"),
    "syntax-name": _ink("primary"),
    "syntax-string": _ink("success"),
    "syntax-number": _ink("warning"),
    "syntax-mark": _ink("warning"),
    "part-system": _ink("secondary"),
    "part-pinned": _ink("warning"),
    "part-summary": _ink("success"),
    "part-history": _ink("accent"),
    "part-thinking": _ink("primary"),
    "gauge-this": _ink("accent"),
    "gauge-ours": _ink("secondary"),
    "gauge-others": _ink("foreground", 0.35),
    "gauge-free": _ink("foreground", 0.45),
    "gauge-trend": _ink("accent"),
    "gauge-hot": _ink("error"),
}
"""Our own theme variables; a theme of ours sets each of them."""

STYLES = ("none", "bold", "italic", "underline", "bold italic", "bold underline")
"""What a variable that is a style may be."""

_TEXTUAL = {
    "text": "foreground",
    "text-muted": "muted",
    "text-disabled": "faint",
    "foreground-muted": "muted",
    "foreground-disabled": "faint",
    "block-cursor-foreground": "foreground",
    "block-cursor-background": "chosen",
    "block-cursor-text-style": "chosen-style",
    "block-cursor-blurred-background": "chosen",
    "block-hover-background": "chosen",
    "screen-selection-background": "selection",
    "screen-selection-foreground": "selection-text",
    "input-selection-background": "selection",
    "input-selection-foreground": "selection-text",
    "input-cursor-background": "foreground",
    "input-cursor-foreground": "background",
    "link-color": "foreground",
    "link-color-hover": "foreground",
    "link-background-hover": "chosen",
    "scrollbar": "rule",
    "scrollbar-hover": "muted",
    "scrollbar-active": "accent",
    "scrollbar-background": "background",
    "scrollbar-background-hover": "background",
    "scrollbar-background-active": "background",
    "scrollbar-corner-color": "background",
}
"""Variables of Textual's own widgets, and what of a theme they are."""


def complete(theme: Theme) -> dict[str, str]:
    """All variables of ours in a theme, and those of Textual's widgets that follow from them.

    What the theme does not set is derived from its colours, legibly. For a theme of the terminal's own
    colours nothing is shaded: derived are only names.
    """
    base = {**_generated(theme), **theme.variables}
    ours = {name: base.get(name) or _derived(each, base, theme) for name, each in OUR_VARIABLES.items()}
    every = {**base, **ours}
    follow = {name: every[source] for name, source in _TEXTUAL.items()}
    if theme.ansi:  # Textual ends the app without them
        follow |= {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
    return {**ours, **follow, **theme.variables}


GROUNDS = ("background", "surface", "panel", "chosen", "code-ground")
"""What text lies on."""

INKS = (
    *("foreground", "accent", "primary", "success", "warning", "error"),
    *(name for name, each in OUR_VARIABLES.items() if each.kind is Kind.INK and name != "selection-text"),
)
"""What text is written in."""


def worst_contrast(theme: Theme) -> float | None:
    """The least contrast that text has in a theme; None where the colours are the terminal's own."""
    base = {**_generated(theme), **complete(theme)}
    grounds = [_color(base, name) for name in GROUNDS]
    if any(ground.ansi is not None for ground in grounds):
        return None
    under = _color(base, "background")
    grounds = [under + ground for ground in grounds]
    inks = [_color(base, name) for name in INKS]
    selected = contrast(_color(base, "selection-text"), under + _color(base, "selection"))
    return min(selected, min(contrast(ground + ink, ground) for ink in inks for ground in grounds))


def _generated(theme: Theme) -> dict[str, str]:
    generated = theme.to_color_system().generate()
    generated.setdefault("background", "ansi_default")
    generated.setdefault("foreground", "ansi_default")
    return generated


def _derived(variable: Variable, base: Mapping[str, str], theme: Theme) -> str:
    if variable.kind is Kind.STYLE:
        return variable.usual
    color, ground = _color(base, variable.source), _color(base, "background")
    if theme.ansi or ground.ansi is not None:
        return (variable.usual or ground.css) if variable.kind is Kind.GROUND else color.css
    mixed = color.blend(ground, variable.towards, alpha=1)
    if variable.kind is Kind.INK:
        grounds = [ground, _color(base, "surface"), _color(base, "panel")]
        mixed = legible(mixed, grounds, TEXT)
    return (mixed if mixed.a == 1 else ground.blend(mixed, MARK / TEXT, alpha=1)).hex


def _color(base: Mapping[str, str], name: str) -> Color:
    try:
        return Color.parse(base[name])
    except (KeyError, ColorParseError):
        return Color.parse("ansi_default")
