"""Themes are TOML files; a wrong one is refused with its file, line and reason, and the old one stays."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui_chat.config.paths import config_file
from tui_chat.config.resources import themes_folder
from tui_chat.ui.themes.variables import OUR_VARIABLES, STYLES, Kind, complete

_META = frozenset({"title", "about", "author", "licence", "source"})
_COLORS = frozenset(f.name for f in fields(Theme)) - {"name", "variables"}
_REQUIRED = ("primary", "foreground", "background")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "dark": (bool,),
    "ansi": (bool,),
    "luminosity_spread": (int, float),
    "text_alpha": (int, float),
}
_MAX_BYTES = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ThemeError(Exception):
    """A theme file that cannot be used; the message names file, line and reason."""


class About(msgspec.Struct, frozen=True):
    """What a theme file says about itself, under ``[meta]``."""

    title: str = ""
    about: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""


class ThemeFile(msgspec.Struct, frozen=True):
    """A theme that was read: its file, what that says of it, and the theme with all our variables."""

    file: Path
    about: About
    theme: Theme


class FoundThemes(msgspec.Struct, frozen=True):
    """The themes of the folders, and one line for each file that was refused."""

    themes: tuple[ThemeFile, ...]
    refused: tuple[str, ...]


def own_themes_folder() -> Path:
    """Where the person's own themes are, beside the settings."""
    return config_file().parent / "themes"


def theme_folders() -> tuple[Path, ...]:
    """Where themes are looked for: the person's own folder, then ours."""
    return (own_themes_folder(), themes_folder())


def file_of(name: str) -> Path | None:
    """The file of the theme called `name`; None if it is none of a file's."""
    if not _NAME.fullmatch(name):  # a name from the settings leads to no other folder
        return None
    files = (folder / f"{name}.toml" for folder in theme_folders())
    return next((file for file in files if file.is_file()), None)


def find_themes(folders: tuple[Path, ...]) -> FoundThemes:
    """Read every ``*.toml`` of `folders`; in a clash of names the earlier folder wins."""
    themes: dict[str, ThemeFile] = {}
    refused: list[str] = []
    for file in _theme_files(folders):
        try:
            found = read_theme(file)
        except ThemeError as error:
            refused.append(str(error))
        else:
            themes.setdefault(found.theme.name, found)
    return FoundThemes(tuple(themes.values()), tuple(refused))


def _theme_files(folders: tuple[Path, ...]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))


def read_theme(file: Path) -> ThemeFile:
    """Read one theme file; its name is the file's.

    Raises:
        ThemeError: Something in it is not understood.
    """
    return _Reading(file).read()


class _Reading:
    """One file while it is read; knows in which line everything stands."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._source = ""

    def read(self) -> ThemeFile:
        if not _NAME.fullmatch(self._file.stem):
            raise ThemeError(f"{self._file.name}: name it with letters, digits, - and _ only")
        raw = self._parsed()
        self._known("", raw, frozenset({"meta", "colors", "variables"}))
        meta = self._known("meta", raw.get("meta", {}), _META)
        about = About(**{key: self._text("meta", key, value) for key, value in meta.items()})
        colors = self._known("colors", raw.get("colors", {}), _COLORS)
        for key in _REQUIRED:
            if key not in colors:
                raise self._wrong("colors", key, "is missing")
        for key, value in colors.items():
            self._check_color("colors", key, value)
        try:
            theme = Theme(name=self._file.stem, **colors)
            names = frozenset(theme.to_color_system().generate()) | frozenset(OUR_VARIABLES)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise self._wrong("colors", "", str(error)) from error
        theme.variables = self._variables(self._known("variables", raw.get("variables", {}), names), theme)
        return ThemeFile(self._file, about, theme)

    def _parsed(self) -> dict[str, Any]:
        try:
            if not self._file.is_file():
                raise ThemeError(f"{self._file.name}: is no file")
            if self._file.stat().st_size > _MAX_BYTES:
                raise ThemeError(f"{self._file.name}: is too long for a theme")
            self._source = self._file.read_text(encoding="utf-8")
            return tomllib.loads(self._source)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line (\d+)", str(error))
            line = int(at[1]) if at else self._source.count("\n") + 1
            reason = str(error).partition(" (at ")[0]
            raise ThemeError(f"{self._file.name}:{line}: {reason}") from error
        except UnicodeDecodeError as error:
            raise ThemeError(f"{self._file.name}: is no UTF-8 text") from error
        except (OSError, RecursionError, ValueError) as error:
            raise ThemeError(f"{self._file.name}: cannot be read: {error}") from error

    def _variables(self, given: Mapping[str, object], theme: Theme) -> dict[str, str]:
        """The variables of the file, and those that follow from them and the colours."""
        for key, value in given.items():
            text = self._text("variables", key, value)
            ours = OUR_VARIABLES.get(key)
            if ours is not None and ours.kind is Kind.STYLE:
                if text not in STYLES:
                    raise self._wrong("variables", key, f"{text!r} is none of {', '.join(STYLES)}")
            elif ours is not None:
                self._check_color("variables", key, text)
            theme.variables[key] = text
        return complete(theme)

    def _check_color(self, table: str, key: str, value: object) -> None:
        if (kinds := _KINDS.get(key) if table == "colors" else None) is not None:
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise self._wrong(table, key, f"{value!r} has the wrong type")
            return
        text = self._text(table, key, value)
        try:
            color = Color.parse(text)
        except (ColorParseError, ValueError, ArithmeticError) as error:
            raise self._wrong(table, key, f"{text!r} is not a colour") from error
        if color.auto is not None and color.auto:
            raise self._wrong(table, key, f"{text!r} is not a colour of its own")

    def _text(self, table: str, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self._wrong(table, key, f"{value!r} is not text")
        return value

    def _known(self, name: str, table: object, names: frozenset[str]) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise self._wrong(name, "", "is not a table")
        for key in table:
            if key not in names:
                near = get_close_matches(key, names, n=1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                raise self._wrong(name, key, f"is not known{hint}")
        return table

    def _wrong(self, table: str, key: str, reason: str) -> ThemeError:
        place = ".".join(part for part in (table, key) if part)
        return ThemeError(f"{self._file.name}:{line_of(self._source, table, key)}: {place}: {reason}")


def line_of(source: str, table: str, key: str) -> int:
    """Return the line of `source` that sets a key of a table, else the one that opens the table, else 1."""
    here, opened = "", 1
    for number, line in enumerate(source.splitlines(), 1):
        if head := re.match(r"\s*\[+\s*([\w.-]+)", line):
            here = head[1]
            if here == table or (not table and here == key):
                opened = number
        elif here == table and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", line):
            return number
    return opened


def problem_with(app: App[Any], theme: Theme) -> str | None:
    """Say why `theme` would not survive being applied, by parsing the live stylesheet with it.

    Textual checks nothing and ends the app on a bad theme; this takes 1-7 ms and leaves it unharmed.
    """
    try:
        variables = {**complete(theme), **theme.to_color_system().generate(), **theme.variables}
        sheet = app.stylesheet.copy()
        sheet.set_variables(variables)
        sheet.reparse()
    except Exception as error:  # noqa: BLE001 - the parser raises many kinds; all mean "refuse it"
        told = " ".join(str(error).split()) or type(error).__name__
        return f"{theme.name}: {told[:200]}"
    return None
