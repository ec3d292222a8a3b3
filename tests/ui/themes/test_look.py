"""What a terminal can show: found out from its environment, and what is painted made to fit it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui_chat.config.looks import Ability, Glyphs
from tui_chat.ui.glyphs import Spelled, spelt
from tui_chat.ui.ground import Listener
from tui_chat.ui.look import look_of
from tui_chat.ui.plot import plot
from tui_chat.ui.themes.filters import Fitted

DARK = Color.parse("#11141a")


def _look(colors: Ability = Ability.AUTO, glyphs: Glyphs = Glyphs.AUTO, **environ: str):
    return look_of(environ, colors, glyphs)


@pytest.mark.parametrize(
    ("environ", "colors"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Ability.TRUECOLOR),
        ({"TERM": "xterm-256color"}, Ability.MANY),
        ({"TERM": "tmux-256color"}, Ability.MANY),
        ({"TERM": "xterm-kitty"}, Ability.MANY),
        ({"TERM": "xterm-direct"}, Ability.TRUECOLOR),
        ({"TERM": "xterm"}, Ability.FEW),
        ({"TERM": "screen"}, Ability.FEW),
        ({"TERM": "linux"}, Ability.FEW),
        ({"TERM": "vt100"}, Ability.NONE),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": ""}, Ability.NONE),
        ({"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "standard"}, Ability.FEW),
    ],
)
def test_how_many_colours_there_are(environ: dict[str, str], colors: Ability) -> None:
    assert _look(**environ).colors is colors
    for said in (Ability.TRUECOLOR, Ability.NONE):
        assert _look(said, **environ).colors is said, "what the person says counts"


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color"}, "tui-chat-dark"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "tui-chat-dark"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;default;15"}, "tui-chat-light"),
        ({"TERM": "xterm-256color", "COLORFGBG": "default;default"}, "tui-chat-dark"),
        ({"TERM": "linux"}, "sixteen-dark"),
        ({"TERM": "xterm", "COLORFGBG": "0;15"}, "sixteen-light"),
        ({"TERM": "vt100"}, "monochrome"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "monochrome"),
    ],
)
def test_which_theme_one_gets_who_has_chosen_none(environ: dict[str, str], theme: str) -> None:
    look = _look(**environ)
    assert look.theme(None) == theme
    assert look.theme("nord") == ("monochrome" if look.colors is Ability.NONE else "nord")


@pytest.mark.parametrize(
    ("environ", "glyphs", "utf8"),
    [
        ({"TERM": "xterm", "LANG": "en_GB.UTF-8"}, Glyphs.UNICODE, True),
        ({"TERM": "xterm", "LC_ALL": "C.utf8", "LANG": "C"}, Glyphs.UNICODE, True),
        ({"TERM": "xterm"}, Glyphs.UNICODE, True),
        ({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, Glyphs.ASCII, False),
        ({"TERM": "xterm", "LC_ALL": "POSIX", "LANG": "en_GB.UTF-8"}, Glyphs.ASCII, False),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1@euro"}, Glyphs.ASCII, False),
        ({"TERM": "linux", "LANG": "en_GB.UTF-8"}, Glyphs.ASCII, True),
        ({"TERM": "vt100"}, Glyphs.ASCII, True),
    ],
)
def test_which_characters_there_are(environ: dict[str, str], glyphs: Glyphs, utf8: bool) -> None:
    look = _look(**environ)
    assert (look.glyphs, look.utf8) == (glyphs, utf8)
    assert _look(glyphs=Glyphs.BLOCK, **environ).glyphs is Glyphs.BLOCK


def test_only_terminals_that_understand_it_are_asked_for_their_ground() -> None:
    assert _look(TERM="xterm-256color").asks
    assert not _look(TERM="xterm-256color", COLORFGBG="15;0").asks, "it has told already"
    assert not any(_look(TERM=term).asks for term in ("linux", "vt100", "screen", ""))


@given(st.text(alphabet="abc\x1b[]A;~", max_size=12), st.integers(1, 4), st.data())
def test_the_answer_is_taken_out_of_the_keys_however_it_is_cut(
    typed: str, size: int, data: st.DataObject
) -> None:
    typed = typed.replace("\x1b]", "x")
    end = data.draw(st.sampled_from(["\x07", "\x1b\\"]))
    sent = f"{typed}\x1b]11;rgb:fa/fa/f{'a' * (size - 1)}{end}after"
    cut = data.draw(st.integers(0, len(sent)))
    listener = Listener()
    passed = "".join(listener.feed(part) for part in (sent[:cut], sent[cut:]) if part)
    if not typed.endswith("\x1b"):
        assert passed == f"{typed}after" or cut <= len(typed) + 5
    assert listener.feed("keys") == "keys"


def test_the_answer_tells_the_ground() -> None:
    for answer, light in (("ffff/ffff/ffff", True), ("11/14/1a", False), ("fdfd/f6f6/e3e3", True)):
        listener = Listener()
        assert listener.feed(f"a\x1b]11;rgb:{answer}\x1b\\b") == "ab"
        assert listener.told is light


def test_keys_are_never_kept_for_an_answer_that_does_not_come() -> None:
    listener = Listener()
    assert listener.feed("hello \x1b[A\x1b") == "hello \x1b[A\x1b"
    assert listener.told is None


def _fitted(colors: Ability, style: str) -> Style:
    fitted = Fitted(colors).apply([Segment("x", Style.parse(style))], DARK)[0].style
    assert fitted is not None
    return fitted


def test_without_colours_nothing_is_coloured_and_what_stood_out_still_does() -> None:
    usual = _fitted(Ability.NONE, "bold #d8dde6 on #11141a")
    chosen = _fitted(Ability.NONE, "#d8dde6 on #404860")
    quiet = _fitted(Ability.NONE, "#8a94a4 on #11141a")
    for style in (usual, chosen, quiet):
        assert style.color is not None
        assert style.bgcolor is not None
        assert style.color.is_default
        assert style.bgcolor.is_default
    assert (usual.bold, bool(usual.reverse), bool(usual.dim)) == (True, False, False)
    assert chosen.reverse
    assert quiet.dim


def test_links_and_clicks_survive_every_fitting() -> None:
    style = Style.parse("#8a94a4 on #11141a link https://example.org") + Style(meta={"@click": "x"})
    for ability in Ability:
        if ability is not Ability.AUTO:
            fitted = Fitted(ability).apply([Segment("x", style)], DARK)[0].style
            assert fitted is not None
            assert (fitted.link, fitted.meta) == (style.link, style.meta)


@given(st.text(max_size=30), st.booleans(), st.booleans())
def test_what_is_spelt_otherwise_is_as_wide_as_before(text: str, in_ascii: bool, utf8: bool) -> None:
    text = "".join(c for c in text if c.isprintable())
    assert cell_len(spelt(text, in_ascii, utf8)) == cell_len(text)
    assert utf8 or spelt(text, in_ascii, utf8).isascii()


def test_words_pass_where_the_terminal_has_them_and_lose_their_accents_where_not() -> None:
    assert spelt("Größe 数 ● done … · next ██··", True, True) == "Größe 数 * done . | next ##.."
    assert spelt("Größe 数 é", True, False) == "Gro?e ?? e"
    assert not Spelled(Glyphs.UNICODE, utf8=True).enabled


def test_a_line_over_time_keeps_its_shape_without_braille() -> None:
    drawn = plot([0, 1, 2, 3, 4, 5, 6, 7], 4, 1)[0]
    assert spelt(drawn, True, True).isascii()
    blocks = spelt(drawn, False, True)
    assert set(blocks) <= set(" ▂▄▆█")
    assert list(blocks) == sorted(blocks, key=" ▂▄▆█".index)
