"""Selecting with the mouse: what is copied, and what is painted."""

from __future__ import annotations

from textual.geometry import Region
from textual.pilot import Pilot

from tests.ui.transcript.test_view import Screen, answer, settled, talk, user
from tui_chat.ui.transcript import Transcript


def painted(app: Screen) -> list[str]:
    """The text on the selection's ground, line by line."""
    ground = app.screen.get_component_rich_style("screen--selection").bgcolor
    size = app.transcript.size
    strips = app.transcript.render_lines(Region(0, 0, size.width, size.height))
    lines = [
        "".join(text for text, style, _ in strip if style and style.bgcolor == ground) for strip in strips
    ]
    return [line for line in lines if line]


async def drag(pilot: Pilot[None], start: tuple[int, int], *way: tuple[int, int]) -> None:
    await pilot.mouse_down(Transcript, offset=start)
    for offset in way:
        await pilot.hover(Transcript, offset=offset)
    await pilot.mouse_up(Transcript, offset=way[-1])
    await settled(pilot)


async def test_a_drag_selects_text_without_margins() -> None:
    app = Screen([user(1, "How do I\nmix colours?"), answer(1, "```py\nmix(a, b)\n```\ndone **now**")])
    async with app.run_test(size=(40, 14)) as pilot:
        await settled(pilot)
        await drag(pilot, (7, 1), (5, 2))
        assert app.screen.get_selected_text() == "do I\nmix"
        assert painted(app) == ["do I", "mix"]
        ground = app.screen.get_component_rich_style("screen--selection").bgcolor
        for strip in app.transcript.render_lines(Region(0, 0, 40, 3)):
            assert all(style.color != ground for _, style, _ in strip if style)
        await drag(pilot, (0, 4), (8, 7))
        assert app.screen.get_selected_text() == "m\npy\nmix(a, b)"
        await drag(pilot, (8, 8), (3, 6))
        assert app.screen.get_selected_text() == "mix(a, b)\n\ndone n"
        assert painted(app) == ["mix(a, b)" + " " * 26, "done n"]
        await pilot.click(Transcript, offset=(30, 12))
        await settled(pilot)
        assert app.screen.get_selected_text() is None
        assert painted(app) == []


async def test_wide_characters_are_selected_whole() -> None:
    app = Screen([user(1, "ab中文cd")])
    async with app.run_test(size=(40, 6)) as pilot:
        await settled(pilot)
        await drag(pilot, (5, 1), (8, 1))
        assert app.screen.get_selected_text() == "中文"
        assert painted(app) == ["中文"]


async def test_a_family_is_not_torn_apart() -> None:
    app = Screen([user(1, "a👩\u200d👩\u200d👧b")])
    async with app.run_test(size=(40, 6)) as pilot:
        await settled(pilot)
        await drag(pilot, (3, 1), (4, 1))
        assert app.screen.get_selected_text() == "a👩\u200d👩\u200d👧"


async def test_a_selection_stays_on_its_text_while_heights_above_change() -> None:
    app = Screen(talk(40))
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        await drag(pilot, (3, 6), (20, 7))
        text = app.screen.get_selected_text()
        app.transcript.update(user(3, "grown\n" * 30))
        app.transcript.scroll_by(-3)
        await settled(pilot)
        assert app.screen.get_selected_text() == text
        assert "".join(painted(app)).replace(" ", "") == str(text).replace("\n", "").replace(" ", "")


async def test_a_selection_reaches_beyond_what_is_visible() -> None:
    app = Screen(talk(40))
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        await pilot.mouse_down(Transcript, offset=(3, 8))
        app.transcript.scroll_by(-40)
        await settled(pilot)
        await pilot.hover(Transcript, offset=(3, 3))
        await pilot.mouse_up(Transcript, offset=(3, 3))
        await settled(pilot)
        text = str(app.screen.get_selected_text())
        assert text.count("question") + text.count("answer") > 10


async def test_a_double_click_selects_a_word_and_a_triple_one_the_line() -> None:
    app = Screen([user(1, "mix some_colours, please")])
    async with app.run_test(size=(40, 6)) as pilot:
        await settled(pilot)
        await pilot.double_click(Transcript, offset=(9, 1))
        await settled(pilot)
        assert app.screen.get_selected_text() == "some_colours"
        await pilot.triple_click(Transcript, offset=(9, 1))
        await settled(pilot)
        assert app.screen.get_selected_text() == "mix some_colours, please"


async def test_everything_can_be_selected_without_rendering_it() -> None:
    app = Screen(talk(1_000))
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        app.transcript.text_select_all()
        text = str(app.screen.get_selected_text())
        assert text.startswith("question 0\n")
        assert text.endswith("answer 999")
        assert app.transcript._entries.rendered(3) is None
