"""Themes are TOML files; a wrong one is refused with its file, key and reason, and the old one stays."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui_chat.config.paths import config_file
from tui_chat.config.resources import themes_folder

DARK = "tui-chat-dark"
LIGHT = "tui-chat-light"

OUR_VARIABLES: Mapping[str, str] = {
    "muted": "foreground-darken-2",
    "rule": "panel-lighten-2",
    "role-user": "accent",
    "role-assistant": "foreground",
}
"""Our own theme variables, each with the generated colour that stands in where a theme has none."""

_META = frozenset({"title", "about", "author"})
_COLORS = frozenset(f.name for f in fields(Theme)) - {"name", "variables", "ansi"}
_REQUIRED = ("primary", "foreground", "background")


def theme_folders() -> tuple[Path, ...]:
    """Where themes are looked for: the person's own folder beside the settings, then ours."""
    return (config_file().parent / "themes", themes_folder())


class ThemeError(Exception):
    """A theme file that cannot be used; the message names file, key and reason."""


@dataclass(frozen=True, slots=True)
class FoundThemes:
    """The themes of the folders, and one line for each file that was refused."""

    themes: tuple[Theme, ...]
    refused: tuple[str, ...]


def find_themes(folders: tuple[Path, ...]) -> FoundThemes:
    """Read every ``*.toml`` of `folders`; in a clash of names the earlier folder wins."""
    themes: dict[str, Theme] = {}
    refused: list[str] = []
    for file in _theme_files(folders):
        try:
            theme = read_theme(file)
        except ThemeError as error:
            refused.append(str(error))
        else:
            themes.setdefault(theme.name, theme)
    return FoundThemes(tuple(themes.values()), tuple(refused))


def _theme_files(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))


def read_theme(file: Path) -> Theme:
    """Read one theme file; its name is the file's. Raises `ThemeError` for anything not understood."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ThemeError(f"theme {file.name}: {error}") from error
    _known(file, "", raw, frozenset({"meta", "colors", "variables"}))
    _known(file, "meta", raw.get("meta", {}), _META)
    colors = dict(_known(file, "colors", raw.get("colors", {}), _COLORS))
    for key in _REQUIRED:
        if key not in colors:
            raise ThemeError(f"theme {file.name}: colors.{key} is missing")
    try:
        theme = Theme(name=file.stem, **_checked_colors(file, colors))
        known = frozenset(theme.to_color_system().generate()) | frozenset(OUR_VARIABLES)
    except (TypeError, ValueError) as error:
        raise ThemeError(f"theme {file.name}: colors: {error}") from error
    variables = _known(file, "variables", raw.get("variables", {}), known)
    theme.variables = {key: _text(file, f"variables.{key}", value) for key, value in variables.items()}
    for key in OUR_VARIABLES:
        if key in theme.variables:
            _color(file, f"variables.{key}", theme.variables[key])
    return theme


def _checked_colors(file: Path, colors: dict[str, Any]) -> dict[str, Any]:
    kinds: dict[str, type | tuple[type, ...]] = {
        "dark": bool,
        "luminosity_spread": (int, float),
        "text_alpha": (int, float),
    }
    for key, value in colors.items():
        if key in kinds:
            if not isinstance(value, kinds[key]):
                raise ThemeError(f"theme {file.name}: colors.{key}: {value!r} has the wrong type")
        else:
            _color(file, f"colors.{key}", _text(file, f"colors.{key}", value))
    return colors


def _text(file: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ThemeError(f"theme {file.name}: {key}: {value!r} is not text")
    return value


def _color(file: Path, key: str, value: str) -> None:
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise ThemeError(f"theme {file.name}: {key}: {value!r} is not a colour") from error


def _known(file: Path, section: str, table: object, names: frozenset[str]) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ThemeError(f"theme {file.name}: {section} is not a table")
    for key in table:
        if key not in names:
            near = get_close_matches(key, names, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            where = f"{section}.{key}" if section else key
            raise ThemeError(f"theme {file.name}: {where} is not known{hint}")
    return table


def default_variables(theme: Theme) -> dict[str, str]:
    """Colours for those of `OUR_VARIABLES` that `theme` does not set, taken from its own."""
    generated = theme.to_color_system().generate()
    fallback = theme.foreground or generated.get("foreground", "ansi_default")
    return {
        name: theme.variables.get(name) or generated.get(source) or fallback
        for name, source in OUR_VARIABLES.items()
    }


def problem_with(app: App[Any], theme: Theme) -> str | None:
    """Say why `theme` would not survive being applied, by parsing the live stylesheet with it.

    Textual checks nothing and ends the app on a bad theme; this takes 1-7 ms and leaves it unharmed.
    """
    try:
        variables = {
            **default_variables(theme),
            **theme.to_color_system().generate(),
            **theme.variables,
        }
        sheet = app.stylesheet.copy()
        sheet.set_variables(variables)
        sheet.reparse()
    except Exception as error:  # noqa: BLE001 - the parser raises many kinds; all mean "refuse it"
        return f"theme {theme.name}: {type(error).__name__}: {error}"
    return None
