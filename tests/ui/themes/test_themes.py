"""Themes: ours are complete and legible, bad files are refused with line and reason, and the app lives on."""

from __future__ import annotations

import os
import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.homes import Home
from tests.ui.support import Chats
from tests.ui.themes.audit import THEMES
from tui_chat.config.resources import themes_folder
from tui_chat.config.settings import Settings, UiSettings
from tui_chat.ui.themes.contrast import HIGH, TEXT, contrast, legible
from tui_chat.ui.themes.files import ThemeError, find_themes, line_of, problem_with, read_theme
from tui_chat.ui.themes.variables import OUR_VARIABLES, complete, worst_contrast

OURS = sorted(themes_folder().glob("*.toml"))
GOOD = '[colors]\nprimary = "#336699"\nforeground = "#ffffff"\nbackground = "#000000"\n'

PROTAN = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTAN = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
TRITAN = ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))
"""How colours are seen without red, green or blue cones: Machado, Oliveira and Fernandes, 2009."""

CLEARLY = 8.0
"""The distance in CIE L*a*b* of colours that are told apart at a glance; 2.3 is just noticeable."""


@pytest.mark.parametrize("file", OURS, ids=lambda f: f.stem)
def test_ours_are_complete(file: Path) -> None:
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    assert raw["variables"].keys() == OUR_VARIABLES.keys()
    named = {"primary", "secondary", "accent", "foreground", "background", "surface", "panel"}
    assert named | {"dark", "success", "warning", "error"} <= raw["colors"].keys()
    assert raw["meta"]["title"]
    assert raw["meta"]["about"]


def test_there_are_those_that_people_need() -> None:
    names = {file.stem for file in OURS}
    assert {"tui-chat-dark", "tui-chat-light", "high-contrast-dark", "colour-blind-dark"} <= names
    assert {"sixteen-dark", "sixteen-light", "monochrome"} <= names
    licensed = [file for file in OURS if read_theme(file).about.licence == "MIT"]
    assert len(licensed) >= 2
    assert all(read_theme(file).about.source.startswith("https://") for file in licensed)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_ink_is_legible_on_every_ground(theme: Theme) -> None:
    worst = worst_contrast(theme)
    assert worst is None if theme.ansi else worst is not None
    assert (worst or 21) >= (HIGH if theme.name.startswith("high-contrast") else TEXT)


@pytest.mark.parametrize("name", ["colour-blind-dark", "colour-blind-light"])
def test_what_differs_by_hue_still_differs_without_red_green_or_blue_cones(name: str) -> None:
    theme = next(theme for theme in THEMES if theme.name == name)
    states = [Color.parse(ink or "") for ink in (theme.accent, theme.success, theme.warning, theme.error)]
    for cones in (PROTAN, DEUTAN, TRITAN):
        for one, other in combinations([_lab(_seen_without(cones, state)) for state in states], 2):
            assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 >= CLEARLY


def test_monochrome_has_no_hue() -> None:
    for value in read_theme(themes_folder() / "monochrome.toml").theme.variables.values():
        if value.startswith("#"):
            assert len(set(Color.parse(value).rgb)) == 1, value


def test_the_sixteen_are_only_the_terminals_own() -> None:
    for name in ("sixteen-dark", "sixteen-light"):
        raw = tomllib.loads((themes_folder() / f"{name}.toml").read_text())
        values = [v for v in (*raw["colors"].values(), *raw["variables"].values()) if isinstance(v, str)]
        assert all(value.startswith("ansi_") for value in values if value != "bold")


@given(st.integers(0, 0xFFFFFF), st.lists(st.integers(0, 0xFFFFFF), min_size=1, max_size=3))
def test_an_ink_made_legible_is_as_legible_as_can_be(ink: int, grounds: list[int]) -> None:
    def color(number: int) -> Color:
        return Color(number >> 16, number >> 8 & 255, number & 255)

    on = [color(ground) for ground in grounds]
    made = legible(color(ink), on[:1])
    assert contrast(made, on[0]) >= TEXT
    assert legible(made, on[:1]) == made
    legible(color(ink), on)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[colors", "bad.toml:1: "),
        (GOOD + "x = [", "bad.toml:5: "),
        (
            GOOD.replace("primary", "primry"),
            "bad.toml:2: colors.primry: is not known (did you mean primary?)",
        ),
        (GOOD.replace("#336699", "#zzz"), "bad.toml:2: colors.primary: '#zzz' is not a colour"),
        (GOOD.replace('"#336699"', "7"), "bad.toml:2: colors.primary: 7 is not text"),
        (GOOD.replace('primary = "#336699"\n', ""), "bad.toml:1: colors.primary: is missing"),
        (GOOD + 'dark = "yes"\n', "bad.toml:5: colors.dark: 'yes' has the wrong type"),
        (GOOD + '\n[variables]\nmuted = "banana"\n', "bad.toml:7: variables.muted: 'banana' is not a colour"),
        (
            GOOD + '[variables]\nmutd = "#fff"\n',
            "bad.toml:6: variables.mutd: is not known (did you mean muted?)",
        ),
        (
            GOOD + '[variables]\nchosen-style = "loud"\n',
            "bad.toml:6: variables.chosen-style: 'loud' is none of",
        ),
        (GOOD + "[extras]\n", "bad.toml:5: extras: is not known"),
        (GOOD + "[meta]\ntitle = 7\n", "bad.toml:6: meta.title: 7 is not text"),
        ("colors = 7", "bad.toml:1: colors: is not a table"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ThemeError) as error:
        read_theme(file)
    assert reason in str(error.value)
    assert find_themes((tmp_path,)).refused == (str(error.value),)


def test_a_file_that_is_no_text_or_has_no_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "my theme.toml").write_text(GOOD)
    (tmp_path / "long.toml").write_text("#" * 100_000)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "waiting.toml")
    found = find_themes((tmp_path, tmp_path / "missing"))
    assert found.themes == ()
    assert len(found.refused) == 6


def test_a_line_is_found_where_it_is_written() -> None:
    source = '[a]\nx = 1\n[b]\n"x" = 2\ny.z = 3\n'
    assert [line_of(source, *at) for at in (("a", "x"), ("b", "x"), ("b", "y"), ("b", "q"), ("c", "x"))] == [
        2, 4, 5, 3, 1,
    ]  # fmt: skip


def test_every_theme_of_textual_has_our_variables() -> None:
    for theme in BUILTIN_THEMES.values():
        assert complete(theme).keys() >= OUR_VARIABLES.keys()


WORDS = [
    "#336699",
    "red",
    "ansi_red",
    "ansi_default",
    "auto",
    "$primary",
    "none",
    "rgb(1,2,3)",
    "hsl(1,2%,3%)",
    "transparent",
    "bold",
]
VALUES = st.one_of(
    st.sampled_from([*WORDS, "", "auto 50%", "#fff 20%"]),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
)
COLORS = [
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "panel",
    "boost",
    "dark",
    "ansi",
    "text_alpha",
    "luminosity_spread",
]
VARIABLES = (*OUR_VARIABLES, "border", "text-muted", "link-style", "scrollbar", "block-cursor-text-style")
FILES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.tuples(
        st.dictionaries(st.sampled_from(COLORS), VALUES, max_size=6),
        st.dictionaries(st.sampled_from(VARIABLES), VALUES, max_size=4),
    ).map(lambda tables: _file(*tables)),
)


def _file(colors: dict[str, object], variables: dict[str, object]) -> bytes:
    import tomli_w

    base = {"primary": "#336699", "foreground": "#ffffff", "background": "#000000"}
    return tomli_w.dumps({"colors": base | colors, "variables": variables}).encode("utf-8", "replace")


async def test_whatever_is_in_a_file_it_is_refused_or_put_on_and_never_ends_the_app(
    empty_chats: Chats, tmp_path: Path
) -> None:
    """One app wears every theme that is made up and not refused."""
    made: list[Theme] = []
    refused: list[bool] = []

    @given(FILES)
    def make(content: bytes) -> None:
        file = tmp_path / f"made-{len(made)}.toml"
        file.write_bytes(content)
        try:
            made.append(read_theme(file).theme)
        except ThemeError as error:
            refused.append(file.name in str(error))

    make()
    assert made
    assert refused
    assert all(refused)
    async with empty_chats.open() as chat:
        worn = 0
        for theme in made[-60:]:
            before = chat.app.theme
            why = chat.app.try_theme(theme)
            await chat.pilot.pause()
            assert chat.app.theme == (before if why else theme.name)
            worn += why is None
        assert worn
        await chat.press("x")
        assert chat.prompt.text == "x"


async def test_a_theme_that_would_end_the_app_is_found_before_it_is_applied(empty_chats: Chats) -> None:
    async with empty_chats.open() as chat:
        bad = Theme("bad", primary="#336699", variables={"border-blurred": "banana"})
        assert "bad" in str(problem_with(chat.app, bad))
        assert "bad" in str(chat.app.try_theme(bad))
        assert chat.app.theme == "tui-chat-dark"
        for theme in chat.app.available_themes.values():
            assert problem_with(chat.app, theme) is None


async def test_a_bad_theme_in_the_settings_leaves_another_in_force_and_says_why(empty_home: Home) -> None:
    file = _own(empty_home, "mine", GOOD.replace("#336699", "#zzz"))
    async with Chats(empty_home).open(settings=Settings(ui=UiSettings(theme="mine"))) as chat:
        await chat.sees("mine.toml:2", "#zzz", "Choose another theme")
        assert chat.app.theme == "tui-chat-dark"
    async with Chats(empty_home).open(settings=Settings(ui=UiSettings(theme="../themes/mine"))) as chat:
        await chat.sees("There is no theme")
    file.write_text(GOOD)
    async with Chats(empty_home).open(settings=Settings(ui=UiSettings(theme="mine"))) as chat:
        assert chat.app.theme == "mine"
        await chat.until(lambda: "tui-chat-light" in chat.app.available_themes, "for the other themes")
        chat.app.theme = "tui-chat-light"
        await chat.sees("no model")


async def test_a_theme_in_force_follows_its_file(empty_home: Home) -> None:
    """Written well, written badly, deleted, and written well again, while the app runs."""
    file = _own(empty_home, "mine", GOOD)
    async with Chats(empty_home).open(settings=Settings(ui=UiSettings(theme="mine"))) as chat:

        def ground() -> str:
            return str(chat.app.current_theme.background)

        assert ground() == "#000000"
        _write(file, GOOD.replace("#000000", "#101030"))
        await chat.until(lambda: ground() == "#101030", "for the new ground")
        _write(file, GOOD.replace("#000000", "#10103"))
        await chat.sees("the theme stays as it was: mine.toml:4")
        file.unlink()
        _write(file, GOOD.replace("#000000", "#301010"))
        await chat.until(lambda: ground() == "#301010", "for the ground once it is right again")


@pytest.mark.parametrize("gone", [".list-empty", "OptionList", "Input"])
async def test_a_list_whose_parts_go_one_by_one_is_not_drawn_any_more(empty_home: Home, gone: str) -> None:
    async with Chats(empty_home).open((80, 24)) as chat:
        chat.app.action_themes()
        await chat.sees("tui-chat dark")
        await chat.app.screen.query_one(gone).remove()
        chat.app.theme = "nord"  # which has it drawn anew
        await chat.pilot.pause()
        await chat.press("escape")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the list to be gone")


async def test_themes_are_looked_at_on_the_conversation_and_kept_or_not(empty_home: Home) -> None:
    async with Chats(empty_home).open((120, 40)) as chat:
        _own(empty_home, "mine", '[meta]\ntitle = "My own"\nabout = "Mine."\n' + GOOD)
        _own(empty_home, "broken", GOOD.replace("#336699", "#zzz"))
        chat.app.action_themes()
        await chat.sees("My own", "yours", "✗ broken.toml", "tui-chat dark")
        before = chat.app.theme
        await chat.press(*"own")
        await chat.until(lambda: chat.app.theme == "mine", "for the look of the highlighted theme")
        await chat.sees("Mine.", "The contrast of some text is only 2.3:1")
        assert chat.screen.styles.background.hex == "#000000", "the chat below wears it too"
        await chat.press("escape")
        await chat.until(lambda: chat.app.theme == before, "for the look there was")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the list to be gone")
        chat.app.action_themes()
        await chat.sees("My own")
        await chat.press(*"broken")
        await chat.sees("This file cannot be used. broken.toml:2:", "is not a colour")
        await chat.press("enter")
        await chat.sees("Correct its file")
        _own(empty_home, "broken", GOOD)
        await chat.press("ctrl+r")
        await chat.until(lambda: chat.app.theme == "broken", "for the corrected one")
        await chat.press("enter")
        await chat.sees("broken from now on")
        assert chat.app.theme == "broken"
    assert 'theme = "broken"' in empty_home.config.read_text()


def _own(home: Home, name: str, text: str) -> Path:
    folder = home.config.parent / "themes"
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder / f"{name}.toml", text)


def _write(file: Path, text: str) -> Path:
    """Write a file so that it is newer than before, however coarse the clock of the disk is."""
    later = file.stat().st_mtime_ns + 10**9 if file.exists() else None
    file.write_text(text)
    if later is not None:
        os.utime(file, ns=(later, later))
    return file


def _seen_without(cones: tuple[tuple[float, ...], ...], color: Color) -> tuple[float, ...]:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return tuple(sum(a * b for a, b in zip(row, linear, strict=True)) for row in cones)


def _lab(linear: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = (min(1.0, max(0.0, part)) for part in linear)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
