"""What every app of ours has: its theme, and an orderly end when its terminal goes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from textual import on
from textual.filter import LineFilter
from textual.theme import Theme

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.looks import Ability
from tui_chat.ui import terminal
from tui_chat.ui.glyphs import Spelled
from tui_chat.ui.ground import ASK, GroundTold
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.look import DARK, Look
from tui_chat.ui.output.app import PaintedApp
from tui_chat.ui.themes.files import ThemeError, file_of, find_themes, problem_with, read_theme, theme_folders
from tui_chat.ui.themes.filters import Fitted
from tui_chat.ui.themes.variables import complete

log = logging.getLogger("tui_chat.ui")

WATCH_EVERY_S = 1.0
"""How often it is looked whether the file of the theme in force has changed."""


class ThemedApp(PaintedApp):
    """An app in the theme that was chosen; `theme_problem` says why it is in another one."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own declaration
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012

    keymap = Keymap()
    """The keys in force."""

    def __init__(self, theme: str | None, look: Look) -> None:
        """Make the app; nothing is read but one theme file."""
        self._look = look
        self._fitted, self._spelled = Fitted(look.colors), Spelled(look.glyphs, utf8=look.utf8)
        super().__init__()
        self._theme_file: Path | None = None
        self._theme_read: float = 0.0
        self._chose_itself = theme is None
        self.theme_problem = self._use_first_theme(look.theme(theme))

    def on_mount(self) -> None:
        """Ask the terminal for what we need; Textual calls this beside the one of each app."""
        terminal.leave_on_signals(lambda status: self.exit(return_code=status))
        if self._chose_itself and self._look.asks and self._look.colors is not Ability.NONE:
            self.to_terminal(ASK)
        self.set_interval(WATCH_EVERY_S, self._reread_theme)

    def say(self, text: str) -> None:
        """Show a passing note."""
        self.notify(text, markup=False, timeout=3)

    # Themes

    @property
    def look(self) -> Look:
        """What the terminal can show."""
        return self._look

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own variables a value in every theme, Textual's included."""
        return complete(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Have whatever is painted fit the terminal."""
        ours: list[LineFilter] = []
        if self._look.colors is not Ability.TRUECOLOR or self.current_theme.ansi:
            ours.append(self._fitted)
        if self._spelled.enabled:
            ours.append(self._spelled)
        return (*super().get_line_filters(), *ours)

    def register_other_themes(self) -> None:
        """Make the other themes there are known; those with faults are named in the log."""
        for theme in self._other_themes():
            self.register_theme(theme)

    def try_theme(self, theme: Theme) -> str | None:
        """Put `theme` in force, if the app survives it; returns why not."""
        if problem := problem_with(self, theme):
            return problem
        again = theme.name == self.theme
        self.register_theme(theme)
        self.theme = theme.name
        if again:  # the name is the same, so Textual notices nothing
            self._watch_theme(theme.name)
        self._watch_file(theme.name)
        return None

    def keep_theme(self) -> None:
        """Take the theme in force for the one that was chosen."""
        self._chose_itself = False

    def _use_first_theme(self, name: str) -> Problem | None:
        """Apply the theme called `name`, else ours; returns why it is not the one asked for."""
        why = self._apply(name)
        if why is None or name == DARK:
            return None
        self._apply(self._look.usual_theme)
        return Problem(
            ProblemCode.THEME_INVALID,
            f"{why}.",
            f"{self.theme} is in force.",
            "Choose another theme.",
        )

    def _apply(self, name: str) -> str | None:
        if (file := file_of(name)) is not None:
            try:
                self.register_theme(read_theme(file).theme)
            except ThemeError as error:
                return f"Theme {error}"
        if self.get_theme(name) is None:
            return f"There is no theme “{name}”"
        self.theme = name
        self._watch_file(name)
        return None

    def _other_themes(self) -> Iterable[Theme]:
        found = find_themes(theme_folders())
        for refused in found.refused:
            log.warning("theme %s", refused)
        for theme in (each.theme for each in found.themes):
            if theme.name == self.theme:
                continue
            if problem := problem_with(self, theme):
                log.warning("theme %s", problem)
            else:
                yield theme

    @on(GroundTold)
    def _take_ground(self, told: GroundTold) -> None:
        """The terminal has said which ground it has; who has chosen no theme gets the one for it."""
        self._look = self._look.on(light=told.light)
        if self._chose_itself and self.theme != self._look.usual_theme:
            self._apply(self._look.usual_theme)

    # The file of the theme in force

    def _watch_file(self, name: str) -> None:
        self._theme_file = file_of(name)
        self._theme_read = _changed(self._theme_file)

    def _reread_theme(self) -> None:
        """Follow what is written into the file; while it is wrong, the look stays and the reason is told."""
        file = self._theme_file
        if file is None or (changed := _changed(file)) == self._theme_read or not changed:
            return
        self._theme_read = changed
        try:
            theme = read_theme(file).theme
        except ThemeError as error:
            self.say(f"the theme stays as it was: {error}")
            return
        if problem := self.try_theme(theme):
            self.say(f"the theme stays as it was: {problem}")


def _changed(file: Path | None) -> float:
    """When a file was written last; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns if file is not None else 0
    except OSError:
        return 0
