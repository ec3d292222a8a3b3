"""The list of themes beside the conversation, which wears the highlighted one while it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import OptionList, Static

from tui_chat.ui import words
from tui_chat.ui.commands import Place
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.themed import ThemedApp
from tui_chat.ui.themes.contrast import HIGH, TEXT
from tui_chat.ui.themes.files import FoundThemes, find_themes, own_themes_folder, theme_folders
from tui_chat.ui.themes.variables import worst_contrast
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns, containing
from tui_chat.ui.widgets.lines import HintLine

OURS, YOURS, TEXTUALS = "ours", "yours", "Textual's"


class Listed(msgspec.Struct, frozen=True):
    """A theme in the list; without `theme` it is a file that was refused, and `about` says why."""

    title: str
    about: str
    origin: str
    theme: Theme | None = None


class ThemesScreen(ListScreen[str | None]):
    """Choose a theme; gives its name once it is in force, or None when all is as it was."""

    own_places = (Place.THEMES,)
    heading = "themes"

    def compose(self) -> ComposeResult:
        """Lay out title, filtered list, what the highlighted one is, note and keys."""
        with Vertical(classes="list"):
            yield Static(self.heading, classes="list-head", markup=False)
            yield FilteredList[Listed](self.placeholder, self.matching, sought=self._sought)
            yield Static("", classes="theme-about", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Remember what there was; Textual calls this beside the one of each list."""
        self._before = self._app.current_theme
        self._shown: Listed | None = None

    @work(exclusive=True, group="themes")
    async def read(self) -> None:
        """Look for themes, those included that were put there since."""
        found = await asyncio.to_thread(find_themes, theme_folders())
        if not self.there:
            return
        listed = list(_listed(found))
        self.head(words.count(sum(each.theme is not None for each in listed), "theme"))
        self.rows.show([_row(each) for each in listed], "No theme is called that.", at=self.app.theme)

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return the themes whose name contains what was typed."""
        return containing(typed, rows)

    @property
    def _app(self) -> ThemedApp:
        return cast(ThemedApp, self.app)

    @property
    def _current(self) -> Listed | None:
        row = self.rows.current
        return row.thing if row is not None else None

    @on(OptionList.OptionHighlighted)
    def _preview(self) -> None:
        """Wear the highlighted theme, and say what it is."""
        listed = self._current
        if listed is None or listed is self._shown:
            return  # the same row, laid out anew
        self._shown = listed
        problem = None
        if listed.theme is not None and listed.theme is not self._app.current_theme:
            problem = self._app.try_theme(listed.theme)
        self.query_one(".theme-about", Static).update(_facts(listed))
        self.note(f"cannot be used: {problem}" if problem else "")

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Keep the highlighted theme."""
        self._preview()  # of one that was sought by its name, nobody has told yet
        listed = self._current
        if listed is None:
            return
        if listed.theme is None or self._app.theme != listed.theme.name:
            self.note(self.with_keys("This one cannot be used. Correct its file, then {themes.read}."))
            return
        self._app.keep_theme()
        self.dismiss(listed.theme.name)

    def action_leave(self) -> None:
        """Put the theme that there was in force again."""
        if self._app.current_theme is not self._before:
            self._app.try_theme(self._before)
        self.dismiss(None)

    def action_read(self) -> None:
        """Read the files anew."""
        self.read()


def _listed(found: FoundThemes) -> list[Listed]:
    """Yours first, refused ones among them, then ours, then Textual's own that no file stands in for."""
    mine = own_themes_folder()
    files = [
        Listed(
            each.about.title or each.theme.name,
            f"{each.about.about} {each.about.licence and f'Licence: {each.about.licence}.'}".strip(),
            YOURS if each.file.parent == mine else OURS,
            each.theme,
        )
        for each in found.themes
    ]
    names = {each.theme.name for each in found.themes}
    rest = (theme for name, theme in BUILTIN_THEMES.items() if name not in names)
    others = [Listed(theme.name, "", TEXTUALS, theme) for theme in rest]
    refused = [Listed(line.partition(":")[0], line, "refused") for line in found.refused]
    own = [each for each in files if each.origin == YOURS]
    return [*own, *refused, *(each for each in files if each.origin == OURS), *others]


def _row(listed: Listed) -> Row[Listed]:
    name = _id(listed)
    return Row(
        name, listed, f"{listed.title} {name} {listed.origin}", partial(_draw, listed), (listed.title,)
    )


def _id(listed: Listed) -> str:
    return listed.theme.name if listed.theme is not None else f"refused:{listed.about}"


def _draw(listed: Listed, width: int) -> Content:
    """One row: its name, whose it is, its ground and its contrast."""
    if listed.theme is None:
        title = Content.styled(f"✗ {listed.title}", "$warning")
        return columns(width, title, Content.styled(listed.origin, "$muted"))
    ground = "dark" if listed.theme.dark else "light"
    facts = f"{listed.origin} {ground:>5} {_contrast(listed.theme):>7}"
    return columns(width, Content.styled(listed.title, "$foreground"), Content.styled(facts, "$muted"))


def _contrast(theme: Theme) -> str:
    worst = worst_contrast(theme)
    return "" if worst is None else f"{min(worst, 20.9):.1f}:1{'' if worst >= TEXT else ' !'}"


def _facts(listed: Listed) -> Content:
    if listed.theme is None:
        return Content.styled(f"This file cannot be used. {listed.about}", "$warning")
    worst = worst_contrast(listed.theme)
    if worst is None:
        told = "The colours are the terminal's own, and so is their contrast."
    elif worst < TEXT:
        told = f"The contrast of some text is only {worst:.1f}:1, and {TEXT:g}:1 is easy to read."
    else:
        told = f"All text has a contrast of at least {HIGH if worst >= HIGH else TEXT:g}:1."
    return Content.styled(f"{listed.about} {told}".strip(), "$muted")
