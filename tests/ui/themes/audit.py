"""Every theme on every screen of a walk: what is too close, and which styles there are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.theme import Theme
from textual.widgets import Input, OptionList, TextArea

from tests.homes import Home
from tests.ui.support import Chat
from tests.ui.themes.painted import PALETTES, Counted, Pair, shown, strips, too_close
from tests.ui.themes.tour import STOPS, Stop, toured
from tui_chat.config.looks import Ability
from tui_chat.config.resources import themes_folder
from tui_chat.ui.themes.contrast import TEXT
from tui_chat.ui.themes.files import read_theme
from tui_chat.ui.themes.filters import Fitted

THEMES = tuple(read_theme(file).theme for file in sorted(themes_folder().glob("*.toml")))

PRESSED = ("palette", "themes")
"""Screens on which keys are pressed to see them in another theme."""


@dataclass
class Audit:
    """What was found, and the styles of each theme's screens: their texts by how they are written."""

    pairs: list[Pair] = field(default_factory=list)
    checked: int = 0
    styles: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    async def walk(self, chat: Chat, stops: Sequence[Stop]) -> None:
        """Go to each of the screens, and put every theme on it."""
        with _rules_read_once():
            for theme in THEMES:
                assert chat.app.try_theme(theme) is None
            for stop in stops:
                chat.app.theme = THEMES[0].name  # the list of themes begins with the one in force
                await chat.press(*["space" if key == " " else key for key in stop.keys])
                await chat.sees(*stop.sees)
                for cursor in (*chat.app.screen.query(Input), *chat.app.screen.query(TextArea)):
                    cursor.cursor_blink = False
                await self._look(chat, stop)

    async def _look(self, chat: Chat, stop: Stop) -> None:
        await chat.pilot.pause()  # what came with the texts takes its room
        counted = Counted(chat.app)
        self.texts[stop.name] = "\n".join(strip.text for strip in strips(chat.app))
        # Nothing has to be painted in between, unless keys are pressed.
        with nullcontext() if stop.name in PRESSED else chat.app.batch_update():
            for theme in THEMES:
                await self._wear(chat, stop, theme)
                if stop.name == "palette":
                    counted = Counted(chat.app)  # it has been opened anew
                self._note(theme, stop.name, list(counted.segments(chat.app)))

    def _note(self, theme: Theme, screen: str, segments: list[Segment]) -> None:
        self.pairs += too_close(theme, screen, segments)
        self.pairs += _with_fewer_colours(theme, screen, segments)
        self.checked += len({segment.style for segment in segments})
        here = self.styles.setdefault(theme.name, {}).setdefault(screen, {})
        for text, style, _ in segments:
            if style is not None and not text.isspace():
                here.setdefault(shown(style), text.strip())

    async def _wear(self, chat: Chat, stop: Stop, theme: Theme) -> None:
        if stop.name == "themes":  # looking through the list is what puts them on
            if theme is not THEMES[0]:
                await chat.press("down")
            await chat.until(lambda: chat.app.theme == theme.name, f"for {theme.name} in the list")
            await chat.pilot.pause()
            return
        chat.app.theme = theme.name
        await _told(chat.app)
        if stop.name == "palette":  # its rows keep the colours that they were written in
            await chat.press("escape", "ctrl+p")
            await chat.sees(*stop.sees)
        for each in chat.app.screen.query(OptionList):
            each._clear_caches()
            each.refresh()


@contextmanager
def _rules_read_once() -> Iterator[None]:
    """Have Textual keep the style rules of every theme, which it reads anew each time that one is put on."""
    read = Stylesheet._parse_rules
    kept: dict[object, list[RuleSet]] = {}

    def parse(sheet: Stylesheet, *source: Any, **more: Any) -> list[RuleSet]:
        key = (*source, *more.items(), *sheet._variables.items())
        if key not in kept:
            kept[key] = read(sheet, *source, **more)
        return kept[key]

    Stylesheet._parse_rules = parse
    try:
        yield
    finally:
        Stylesheet._parse_rules = read


async def _told(app: App[object]) -> None:
    """Wait until everybody who was told of a theme has put it on."""
    for pump in (app, app.screen):
        done = asyncio.Event()
        pump.call_later(done.set)
        await done.wait()


def _with_fewer_colours(theme: Theme, screen: str, segments: list[Segment]) -> list[Pair]:
    """The pairs that become too close where there are only 256 colours, or 16."""
    if theme.ansi:
        return []
    ground = Color.parse(theme.background or "")
    many, few = (Fitted(ability).apply(segments, ground) for ability in (Ability.MANY, Ability.FEW))
    return [*too_close(theme, screen, many, TEXT), *too_close(theme, screen, few, TEXT, PALETTES[True])]


async def audited(home: Home) -> Audit:
    """Look at all screens but those of servers, in a home that has the starter model."""
    audit = Audit()
    async with toured(home) as chat:
        await audit.walk(chat, STOPS)
    return audit


def written(name: str, screens: dict[str, dict[str, str]]) -> str:
    """A theme's styles, each with what it is first seen on, and which of them each screen has."""
    seen: dict[str, str] = {}
    for styles in screens.values():
        for style, text in styles.items():
            seen.setdefault(style, text)
    short = {style: sha256(style.encode()).hexdigest()[:3] for style in seen}
    lines = [f"{short[style]}  {style:<44} {_sample(seen[style])}".rstrip() for style in sorted(seen)]
    used = [
        f"{screen}: {' '.join(sorted(short[style] for style in styles))}"
        for screen, styles in screens.items()
    ]
    return "\n".join([name, "", *lines, "", *used, ""])


def _sample(text: str) -> str:
    return "".join("#" if c.isdigit() else c for c in text)[:24].strip()
