"""What this terminal can show: how many colours, on which ground, and which characters; it is not asked.

Imported before Textual, which reads its own variables when it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tui_chat.config.looks import Ability, Glyphs

DARK, LIGHT = "tui-chat-dark", "tui-chat-light"
_FEW = {False: "sixteen-dark", True: "sixteen-light"}
COLOURLESS = "monochrome"

_OLD = ("linux", "vt100", "vt102", "vt220", "vt320", "vt52", "ansi", "cons25", "sun")
"""Terminals whose fonts have no braille, and often no boxes."""
_COLOURLESS_TERMS = ("vt100", "vt102", "vt220", "vt320", "vt52", "xterm-mono")
_MANY_TERMS = ("256color", "kitty", "alacritty", "foot", "wezterm", "ghostty", "contour")
_ANSWERING = ("xterm", "tmux", "rxvt", "alacritty", "foot", "kitty", "wezterm", "ghostty", "contour")
"""Terminals that know what an OSC is, and let one that they do not answer pass."""
_SYSTEMS = {
    Ability.TRUECOLOR: "truecolor",
    Ability.MANY: "256",
    Ability.FEW: "standard",
    Ability.NONE: "standard",
}
_LIGHT_GROUNDS = ("7", "9", "10", "11", "12", "13", "14", "15")


class Look(NamedTuple):
    """What a terminal can show.

    Attributes:
        colors: How many colours are used; never ``AUTO``.
        light: Whether its ground is light; None where it has not told.
        glyphs: What lines, graphs and marks are made of; never ``AUTO``.
        utf8: Whether it is sent anything but ASCII at all.
        asks: Whether it may be asked for its ground.
    """

    colors: Ability = Ability.TRUECOLOR
    light: bool | None = None
    glyphs: Glyphs = Glyphs.UNICODE
    utf8: bool = True
    asks: bool = False

    @property
    def usual_theme(self) -> str:
        """The theme for who has chosen none."""
        if self.colors is Ability.NONE:
            return COLOURLESS
        if self.colors is Ability.FEW:
            return _FEW[bool(self.light)]
        return LIGHT if self.light else DARK

    def theme(self, chosen: str | None) -> str:
        """The theme to begin with: the one chosen, but without colours the one that needs none."""
        return self.usual_theme if chosen is None or self.colors is Ability.NONE else chosen

    def on(self, *, light: bool) -> Look:
        """The same on another ground."""
        return self._replace(light=light)


ORDINARY = Look()
"""That of a terminal of today."""


def look_of(environ: Mapping[str, str], colors: Ability, glyphs: Glyphs) -> Look:
    """Find out what the terminal can show, where `colors` and `glyphs` do not say it."""
    utf8 = _speaks_utf8(environ)
    term = environ.get("TERM", "")
    if glyphs is Glyphs.AUTO:
        glyphs = Glyphs.ASCII if not utf8 or _is(term, _OLD) else Glyphs.UNICODE
    light = _light(environ)
    asks = light is None and any(term.startswith(name) for name in _ANSWERING)
    return Look(_ability(environ) if colors is Ability.AUTO else colors, light, glyphs, utf8, asks)


def told_to_textual(look: Look) -> dict[str, str]:
    """The variables that Textual has to find in the environment when it is imported."""
    return {"TEXTUAL_COLOR_SYSTEM": _SYSTEMS[look.colors]}


def _ability(environ: Mapping[str, str]) -> Ability:
    term = environ.get("TERM", "").lower()
    if "NO_COLOR" in environ or _is(term, _COLOURLESS_TERMS):  # empty counts too: see no-color.org
        return Ability.NONE
    if (said := environ.get("TEXTUAL_COLOR_SYSTEM", "auto")) != "auto":
        return {"256": Ability.MANY, "standard": Ability.FEW, "windows": Ability.FEW}.get(
            said, Ability.TRUECOLOR
        )
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return Ability.TRUECOLOR
    return Ability.MANY if any(name in term for name in _MANY_TERMS) else Ability.FEW


def _light(environ: Mapping[str, str]) -> bool | None:
    """What ``COLORFGBG`` says, as rxvt, Konsole and others set it: ``15;0``, or ``0;default;15``."""
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return ground in _LIGHT_GROUNDS if ground.isdigit() else None


def _speaks_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8. One that says nothing is: terminals of today are."""
    said = [environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if said[1] == "C.UTF-8" and not said[0] and said[2] in ("C", "POSIX"):
        said[1] = ""  # Python itself sets this beside LANG=C (PEP 538)
    locale = next((each for each in said if each), "")
    codeset = locale.partition(".")[2].partition("@")[0].replace("-", "").lower()
    return not locale or codeset == "utf8"


def _is(term: str, names: tuple[str, ...]) -> bool:
    return any(term == name or term.startswith(f"{name}-") for name in names)
