"""What every app of ours has: its theme, and an orderly end when its terminal goes."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from textual.theme import Theme

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.ui import terminal
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.output.app import PaintedApp
from tui_chat.ui.theme import (
    DARK,
    ThemeError,
    default_variables,
    find_themes,
    problem_with,
    read_theme,
    theme_folders,
)

log = logging.getLogger("tui_chat.ui")


class ThemedApp(PaintedApp):
    """An app in the theme that was chosen; `theme_problem` says why it is in another one."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own declaration
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012

    keymap = Keymap()
    """The keys in force."""

    def __init__(self, theme: str | None) -> None:
        """Make the app; nothing is read but one theme file."""
        super().__init__()
        self.theme_problem = self._use_first_theme(theme or DARK)

    def on_mount(self) -> None:
        """Ask the terminal for what we need; Textual calls this beside the one of each app."""
        terminal.leave_on_signals(lambda status: self.exit(return_code=status))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own variables a value in every theme, Textual's included."""
        return default_variables(self.current_theme)

    def register_other_themes(self) -> None:
        """Make the other themes there are known; those with faults are named in the log."""
        for theme in self._other_themes():
            self.register_theme(theme)

    def _use_first_theme(self, name: str) -> Problem | None:
        """Apply the theme called `name`, else ours; returns why it is not the one asked for."""
        why = self._try_theme(name)
        if why is None or name == DARK:
            return None
        self._try_theme(DARK)
        return Problem(
            ProblemCode.CONFIG_INVALID,
            f"{why}.",
            f"{self.theme} is in force.",
            "Choose another theme: ctrl+p.",
        )

    def _try_theme(self, name: str) -> str | None:
        for folder in theme_folders():
            if (file := folder / f"{name}.toml").is_file():
                try:
                    self.register_theme(read_theme(file))
                except ThemeError as error:
                    return str(error)
        if self.get_theme(name) is None:
            return f"there is no theme {name!r}"
        self.theme = name
        return None

    def _other_themes(self) -> Iterable[Theme]:
        found = find_themes(theme_folders())
        for refused in found.refused:
            log.warning("%s", refused)
        for theme in found.themes:
            if theme.name == self.theme:
                continue
            if problem := problem_with(self, theme):
                log.warning("%s", problem)
            else:
                yield theme
