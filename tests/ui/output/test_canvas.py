"""Frames are exact: a terminal that got only the changes shows what Textual would have written whole."""

from __future__ import annotations

import unicodedata

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Offset, Region
from textual.strip import Strip

from tui_chat.ui.output.canvas import Canvas
from tui_chat.ui.output.cells import cells_of

WIDTH, HEIGHT = 30, 4
WHOLE = Region(0, 0, WIDTH, HEIGHT)
STYLES = [
    Style.parse(words)
    for words in (
        "",
        "red",
        "bold #102030 on #405060",
        "on #405060",
        "underline",
        "reverse",
        "italic white on blue",
    )
]

words = st.one_of(
    st.text("ab c", min_size=1, max_size=12),
    st.just(" " * 14),
    st.text("a中文字 b", min_size=1, max_size=6),
    st.sampled_from(["e\u0301x", "naïve", "▸ ⎇ ─", "🙂 ok"]),
)
segments = st.builds(Segment, words, st.sampled_from(STYLES), st.none())
strips = st.lists(segments, max_size=6).map(lambda found: Strip(found).adjust_cell_length(WIDTH, STYLES[3]))
screens = st.lists(strips, min_size=HEIGHT, max_size=HEIGHT)


class Terminal:
    """A terminal, and what is seen on it: of blanks only what can be seen of them."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self._stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> Terminal:
        self._stream.feed(text)
        return self

    def seen(self) -> list[list[tuple[object, ...]]]:
        return [
            [_seen(self.screen.buffer[y][x]) for x in range(self.screen.columns)]
            for y in range(self.screen.lines)
        ]


def _seen(char: pyte.screens.Char) -> tuple[object, ...]:
    if char.data == " " and not (char.underscore or char.reverse or char.strikethrough):
        return " ", char.bg
    return tuple(char)


def whole(screen: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[strip] for strip in screen], WHOLE)


def written_by_textual(screen: list[Strip]) -> Terminal:
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    return Terminal().feed(whole(screen).render_segments(console))


@pytest.mark.parametrize("erases", [True, False])
@given(shown=st.lists(screens, min_size=2, max_size=4), limit=st.sampled_from([None, 1, 40]))
def test_changes_alone_make_the_same_screen(
    shown: list[list[Strip]], limit: int | None, erases: bool
) -> None:
    canvas, terminal = Canvas(ColorSystem.TRUECOLOR, erases=erases), Terminal()
    for screen in shown:
        assert canvas.take(whole(screen))
        while frame := canvas.frame(Offset(3, 2), limit):
            terminal.feed(frame)
        assert not canvas.behind
        assert terminal.seen() == written_by_textual(screen).seen()
        assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (3, 2)
        assert canvas.take(whole(screen))
        assert canvas.frame(Offset(3, 2)) == "", "nothing is written twice"


@given(st.text(max_size=30) | st.text(st.characters(max_codepoint=0x9F), max_size=30))
def test_no_text_drives_the_terminal(text: str) -> None:
    strip = Strip([Segment("a"), Segment(text)])
    cells = cells_of((strip,), ColorSystem.TRUECOLOR)
    written = "".join(cell.text for cell in cells)
    assert len(cells) == strip.cell_length
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in written)
    assert not any(unicodedata.bidirectional(each) in ("RLO", "LRO", "RLE", "LRE", "PDF") for each in written)


@given(
    first=screens, second=screens, cut=st.integers(1, WIDTH - 1), span=st.tuples(*[st.integers(0, WIDTH)] * 2)
)
def test_updates_of_parts_are_taken_as_textual_writes_them(
    first: list[Strip], second: list[Strip], cut: int, span: tuple[int, int]
) -> None:
    left, right = sorted(span)
    chops = [dict(zip((0, cut), strip.divide([cut, WIDTH]), strict=True)) for strip in second]
    part = ChopsUpdate(chops, [(y, left, right) for y in range(HEIGHT)], [[cut, WIDTH]] * HEIGHT)
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)
    expected = canvas_of(first)
    assert expected.take(part)
    canvas = canvas_of(first)
    terminal = Terminal().feed(canvas.frame(Offset(0, 0)))
    canvas.take(part)
    terminal.feed(canvas.frame(Offset(0, 0)))
    canvas.forget()
    again = Terminal().feed(canvas.frame(Offset(0, 0)))
    assert terminal.seen() == again.seen()
    if all(
        len(cell.text) == 1
        for strip in (*first, *second)
        for cell in cells_of((strip,), ColorSystem.TRUECOLOR)
    ):
        assert terminal.seen() == written_by_textual(first).feed(part.render_segments(console)).seen()


def canvas_of(screen: list[Strip]) -> Canvas:
    canvas = Canvas(ColorSystem.TRUECOLOR, erases=True)
    canvas.take(whole(screen))
    return canvas


def test_another_size_is_painted_whole_and_a_part_of_an_unknown_screen_is_refused() -> None:
    canvas = Canvas(ColorSystem.TRUECOLOR, erases=True)
    part = ChopsUpdate([{0: Strip.blank(5)}], [(0, 0, 5)], [[5]])
    assert not canvas.take(part)
    canvas.take(LayoutUpdate([[Strip([Segment("wide one")])]], Region(0, 0, 8, 1)))
    assert "wide one" in canvas.frame(Offset(0, 0))
    canvas.take(LayoutUpdate([[Strip([Segment("wide o")])]], Region(0, 0, 6, 1)))
    assert "wide o" in canvas.frame(Offset(0, 0))


def test_a_letter_more_costs_a_move_and_the_letter() -> None:
    canvas = canvas_of(
        [Strip([Segment("some text", STYLES[2])]).extend_cell_length(WIDTH, STYLES[3])] * HEIGHT
    )
    canvas.frame(Offset(0, 0))
    longer = Strip([Segment("some texts", STYLES[2])]).extend_cell_length(WIDTH, STYLES[3])
    canvas.take(LayoutUpdate([[longer]] * HEIGHT, WHOLE))
    assert len(canvas.frame(Offset(0, 0), 1)) < 60


def test_what_terminals_measure_differently_is_followed_by_a_move() -> None:
    cells = cells_of([Strip([Segment("a🙂b")])], ColorSystem.TRUECOLOR)
    assert [cell.text for cell in cells] == ["a", "🙂", "", "b"]
    assert [cell.sure for cell in cells] == [True, False, False, True]
    canvas = Canvas(ColorSystem.TRUECOLOR, erases=True)
    canvas.take(LayoutUpdate([[Strip([Segment("a🙂b")])]], Region(0, 0, 4, 1)))
    assert "🙂\x1b[1;4Hb" in canvas.frame(Offset(0, 0))
