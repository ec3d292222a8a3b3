"""Themes: ours are readable, bad ones are refused with file, key and reason, and the app lives on."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.homes import Home
from tests.ui.support import Chats
from tui_chat.config.resources import themes_folder
from tui_chat.config.settings import Settings, UiSettings
from tui_chat.ui.theme import (
    OUR_VARIABLES,
    ThemeError,
    default_variables,
    find_themes,
    problem_with,
    read_theme,
)

OURS = sorted(themes_folder().glob("*.toml"))
GOOD = '[colors]\nprimary = "#336699"\nforeground = "#ffffff"\nbackground = "#000000"\n'


def _contrast(one: Color, other: Color) -> float:
    def luminance(color: Color) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("file", OURS, ids=lambda f: f.stem)
def test_ours_can_be_read_by_people(file: Path) -> None:
    theme = read_theme(file)
    ground = Color.parse(theme.background)
    inks = [theme.foreground, theme.accent, theme.warning, theme.error, theme.success]
    inks += [theme.variables[name] for name in ("muted", "role-user", "role-assistant")]
    for ink in inks:
        assert ink is not None
        assert _contrast(Color.parse(ink), ground) >= 4.5, ink


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[colors", "theme bad.toml: "),
        (GOOD.replace("primary", "primry"), "colors.primry is not known (did you mean primary?)"),
        (GOOD.replace("#336699", "#zzz"), "colors.primary: '#zzz' is not a colour"),
        (GOOD.replace('"#336699"', "7"), "colors.primary: 7 is not text"),
        (GOOD.replace('primary = "#336699"\n', ""), "colors.primary is missing"),
        (GOOD + 'dark = "yes"\n', "colors.dark: 'yes' has the wrong type"),
        (GOOD + '[variables]\nmuted = "banana"\n', "variables.muted: 'banana' is not a colour"),
        (GOOD + '[variables]\nmutd = "#fff"\n', "variables.mutd is not known (did you mean muted?)"),
        (GOOD + "[extras]\n", "extras is not known"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ThemeError) as error:
        read_theme(file)
    assert reason in str(error.value)
    assert find_themes((tmp_path,)).refused == (str(error.value),)


def test_every_theme_of_textual_has_our_variables() -> None:
    for theme in BUILTIN_THEMES.values():
        assert default_variables(theme).keys() == OUR_VARIABLES.keys()


async def test_a_theme_that_would_end_the_app_is_found_before_it_is_applied(empty_chats: Chats) -> None:
    async with empty_chats.open() as chat:
        bad = Theme("bad", primary="#336699", variables={"border-blurred": "banana"})
        assert "bad" in str(problem_with(chat.app, bad))
        good = [
            theme for theme in chat.app.available_themes.values() if problem_with(chat.app, theme) is None
        ]
        assert len(good) == len(chat.app.available_themes)


async def test_a_bad_theme_in_the_settings_leaves_another_in_force_and_says_why(empty_home: Home) -> None:
    folder = empty_home.config.parent / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(GOOD.replace("#336699", "#zzz"))
    async with Chats(empty_home).open(settings=Settings(ui=UiSettings(theme="mine"))) as chat:
        await chat.sees("mine.toml", "#zzz", "Choose another theme")
        assert chat.app.theme == "tui-chat-dark"
    (folder / "mine.toml").write_text(GOOD)
    async with Chats(empty_home).open(settings=Settings(ui=UiSettings(theme="mine"))) as chat:
        assert chat.app.theme == "mine"
        await chat.until(lambda: "tui-chat-light" in chat.app.available_themes, "for the other themes")
        chat.app.theme = "tui-chat-light"
        await chat.sees("no model")
