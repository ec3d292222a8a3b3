"""What is really painted: every style on the screen with its ink and ground, as terminals resolve them.

Text is every cell with a letter, a digit or punctuation. Marks carry information without being text: bars,
gauges, graphs, bullets. Box drawing, edges, the dots of what is free of a gauge, and scroll bars decorate.
What a dialog covers is out of use, and does not count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual._context import visible_screen_stack
from textual.app import App
from textual.color import Color
from textual.screen import ModalScreen
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.theme import Theme

from tui_chat.ui.themes.contrast import HIGH, MARK, TEXT, contrast

FAINT = 2 / 3
"""What is left of a dim ink, in most terminals."""

EMOJI = 0x1F300
"""From here on characters bring colours of their own."""

DECORATION = frozenset("·▁▔▏▕▎▌▐▊▀▄") | frozenset(map(chr, range(0x2500, 0x2580)))

XTERM = (
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
)
VGA = (
    "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
)
TANGO = (
    "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf "
    "555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec"
)
CAMPBELL = (
    "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc "
    "767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2"
)


def _palette(ground: str, names: str) -> TerminalTheme:
    colours = [Color.parse(f"#{each}").rgb for each in names.split()]
    ink = (0, 0, 0) if ground == "#ffffff" else colours[7]
    return TerminalTheme(Color.parse(ground).rgb, ink, colours[:8], colours[8:])


PALETTES = {
    dark: [_palette("#000000" if dark else "#ffffff", names) for names in (XTERM, VGA, TANGO, CAMPBELL)]
    for dark in (True, False)
}
"""What the sixteen colours are in xterm, on VGA's console, in GNOME's terminal and in Windows', by ground."""


class Pair(NamedTuple):
    """A pair of colours that is too close, and where it is seen."""

    theme: str
    screen: str
    text: str
    style: str
    contrast: float


def strips(app: App[object]) -> list[Strip]:
    """The lines of the screen, as the terminal gets them."""
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips(app.size)


class Counted:
    """The cells of a screen that count; they stay the same while only its colours change."""

    def __init__(self, app: App[object]) -> None:
        screen, width = app.screen, app.size.width
        behind = screen if isinstance(screen, ModalScreen) else None
        self._rows = [
            [self._counts(screen.get_widget_at(x, y)[0], behind) for x in range(width)]
            for y in range(app.size.height)
        ]

    @staticmethod
    def _counts(widget: object, behind: object) -> bool:
        return widget is not behind and not isinstance(widget, ScrollBar)

    def segments(self, app: App[object]) -> Iterator[Segment]:
        """Yield what is painted of each line in one style, in order."""
        for row, strip in zip(self._rows, strips(app), strict=True):
            x = 0
            for text, style, _ in strip:
                kept = ""
                for character in text:
                    kept += character if x < len(row) and row[x] else ""
                    x += cell_len(character)
                if kept:
                    yield Segment(kept, style or Style())


def floor_of(character: str, text: float) -> float:
    """The contrast that a character has to have, where text has to have one of `text`."""
    if character in DECORATION or character.isspace() or ord(character) >= EMOJI:
        return 1.0
    return text if unicodedata.category(character)[0] in "LNP" else MARK


def too_close(
    theme: Theme,
    screen: str,
    segments: list[Segment],
    text: float | None = None,
    palettes: Sequence[TerminalTheme] = (),
) -> list[Pair]:
    """The pairs of ink and ground that are below the floor; `text` is that of text, else the theme's own."""
    own = HIGH if theme.name.startswith("high-contrast") else TEXT
    looks = palettes or (PALETTES[theme.dark] if theme.ansi else PALETTES[True][:1])
    worst: dict[tuple[Style, float], str] = {}
    for painted, style, _ in segments:
        assert style is not None
        plain = style.without_color + Style.from_color(style.color, style.bgcolor)
        for character in set(painted):
            worst.setdefault((plain, floor_of(character, text or own)), character)
    found = []
    for (style, floor), character in worst.items():
        seen = min(seen_contrast(style, look, theme) for look in looks)
        if seen < floor:
            found.append(Pair(theme.name, screen, character, shown(style), round(seen, 2)))
    return found


def seen_contrast(style: Style, look: TerminalTheme, theme: Theme) -> float:
    """The contrast of ink and ground where the sixteen colours are those of `look`."""
    default = Color(*look.background_color) if theme.ansi else Color.parse(theme.background or "#000000")
    own = style.bgcolor is None or style.bgcolor.is_default
    ground = default if own or style.bgcolor is None else Color(*style.bgcolor.get_truecolor(look, False))
    ink = Color(*(look.foreground_color if style.color is None else style.color.get_truecolor(look)))
    return contrast(ground.blend(ink, FAINT) if style.dim else ink, ground)


def shown(style: Style) -> str:
    """Write a style down: ``bold #d8dde6 on #11141a``."""
    how = [
        name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)
    ]
    ink = style.color.name if style.color is not None else "default"
    ground = style.bgcolor.name if style.bgcolor is not None else "default"
    return " ".join([*how, ink, "on", ground])
