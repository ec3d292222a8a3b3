"""The widget in a terminal of its own: what is on the screen after things happen."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tui_chat.chat.model import FinishReason, Problem, ProblemCode, Timings, Usage
from tui_chat.ui.transcript import AnswerItem, DividerItem, Item, Level, NoticeItem, Transcript, UserItem
from tui_chat.wire.events import Channel


class Screen(App[None]):
    """A transcript and a line below it."""

    CSS = "#transcript { height: 1fr; }"

    def __init__(self, items: Sequence[Item] = ()) -> None:
        super().__init__()
        self._items = items
        self.follows: list[tuple[bool, bool]] = []
        self.focuses: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield Transcript(id="transcript", fps=1000)

    def on_mount(self) -> None:
        self.transcript.set_items(self._items)
        self.transcript.focus()

    def on_transcript_following(self, message: Transcript.Following) -> None:
        self.follows.append((message.following, message.unseen))

    def on_transcript_focused(self, message: Transcript.Focused) -> None:
        self.focuses.append(message.id)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def shown(self) -> list[str]:
        """The lines on the screen, without the scroll bar's column."""
        size = self.transcript.size
        strips = self.transcript.render_lines(Region(0, 0, size.width, size.height))
        return [strip.text.rstrip() for strip in strips]


def user(number: int, text: str = "") -> UserItem:
    return UserItem(id=f"u{number}", text=text or f"question {number}")


def answer(number: int, text: str = "", finish: FinishReason | None = FinishReason.STOP) -> AnswerItem:
    return AnswerItem(id=f"a{number}", model="m", text=text or f"answer {number}", finish=finish)


def talk(count: int) -> list[Item]:
    return [item for number in range(count) for item in (user(number), answer(number))]


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


async def test_a_conversation_at_80x24() -> None:
    problem = Problem(ProblemCode.WORKER_DIED, "The worker was killed.", "Your message is kept.")
    items: list[Item] = [
        UserItem(id="1", text="Hi there\n  indented", time="14:02"),
        AnswerItem(
            id="2", model="SmolLM2-135M", branch="< 2 of 3 >", text="Hello **you**", thinking="Hm.",
            finish=FinishReason.STOP, usage=Usage(5930, 312, 5812),
            timings=Timings(ttft_ms=90, decode_tps=204.4, thinking_ms=3100),
        ),
        DividerItem(id="3", text="context reset here"),
        AnswerItem(
            id="4", model="m", text="Once", finish=FinishReason.CANCELLED, usage=Usage(9, 1), hint="r retry"
        ),
        AnswerItem(
            id="5", model="m", finish=FinishReason.WORKER_DIED, problem=problem, hint="r retry · l log"
        ),
        UserItem(id="6", text="And?", note="queued · sends when this answer ends"),
        NoticeItem(id="7", text="The disk is full.", hint="s save again", level=Level.WARNING),
    ]  # fmt: skip
    app = Screen(items)
    async with app.run_test(size=(80, 32)) as pilot:
        await settled(pilot)
        assert app.shown == [
            " you" + " " * 68 + " 14:02",
            " │ Hi there",
            " │   indented",
            "",
            " SmolLM2-135M  < 2 of 3 >",
            "   ▸ thought for 3.1 s",
            "",
            "   Hello you",
            "",
            "   204 tok/s · 0.09 s · 312 tokens · reused 5,812 of 5,930 tokens",
            "",
            " ── context reset here " + "─" * 55,
            "",
            " m",
            "   Once",
            "",
            "   1 token",
            "   You stopped this answer. Its only token is kept.",
            "   r retry",
            "",
            " m",
            "   The worker was killed. Your message is kept.",
            "   r retry · l log",
            "",
            " you",
            " │ And?",
            " │   queued · sends when this answer ends",
            "",
            "   The disk is full.",
            "   s save again",
            "",
            "",
        ]


async def test_streaming_follows_until_the_user_scrolls_and_again_from_the_end() -> None:
    app = Screen([*talk(10), AnswerItem(id="live", model="m")])
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        for number in range(20):
            app.transcript.stream("live", f"line {number}\n\n")
        app.transcript.flush()
        await settled(pilot)
        assert app.shown[-2:] == ["   line 19", ""]
        await pilot.press("up")
        await settled(pilot)
        assert not app.transcript.following
        before = app.shown
        app.transcript.stream("live", "more\n\nand more")
        app.transcript.flush()
        await settled(pilot)
        assert app.shown == before
        assert app.follows == [(False, False), (False, True)]
        await pilot.press("end")
        await settled(pilot)
        assert app.shown[-2:] == ["   and more", ""]
        assert app.follows[-1] == (True, False)
        await pilot.press("up", "down")
        await settled(pilot)
        assert app.transcript.following


async def test_streamed_text_is_shown_by_itself() -> None:
    app = Screen([AnswerItem(id="live", model="m")])
    async with app.run_test(size=(40, 8)) as pilot:
        app.transcript.stream("live", "Hel")
        app.transcript.stream("live", "lo")
        for _ in range(100):
            await pilot.pause(0.01)
            if "   Hello" in app.shown:
                break
        assert app.shown[:3] == [" m", "   Hello", ""]
        assert app.transcript.text_of("live") == "Hello"


async def test_thinking_streams_in_a_window_folds_and_unfolds() -> None:
    app = Screen([AnswerItem(id="live", model="m")])
    async with app.run_test(size=(40, 16)) as pilot:
        for number in range(9):
            app.transcript.stream("live", f"thought {number}\n", Channel.THINKING)
        app.transcript.flush()
        await settled(pilot)
        assert app.shown[:3] == [" m", "   ▾ thinking", "     thought 3"]
        app.transcript.stream("live", "So")
        app.transcript.flush()
        item = answer(0, "So it is.")
        app.transcript.settle(
            replace(item, id="live", thinking="One.\nTwo.", timings=Timings(thinking_ms=2500))
        )
        await settled(pilot)
        folded = [" m", "   ▸ thought for 2.5 s", "", "   So it is."]
        assert app.shown[:4] == folded
        await pilot.click(Transcript, offset=(6, 1))
        await settled(pilot)
        assert app.shown[:6] == [" m", "   ▾ thought for 2.5 s", "     One.", "     Two.", "", "   So it is."]
        app.transcript.focus_previous()
        app.transcript.toggle_thinking(app.transcript.focused_id or "")
        await settled(pilot)
        assert [line[1:] for line in app.shown[:4]] == [line[1:] for line in folded]


async def test_an_answer_is_read_in_peace_while_its_head_folds_above() -> None:
    app = Screen([AnswerItem(id="live", model="m", thinking="a\nb\nc\nd\ne\nf")])
    async with app.run_test(size=(40, 6)) as pilot:
        app.transcript.stream("live", "".join(f"line {number}\n\n" for number in range(20)))
        app.transcript.flush()
        await settled(pilot)
        app.transcript.scroll_by(-10)
        await settled(pilot)
        before = app.shown
        app.transcript.toggle_thinking("live")
        await settled(pilot)
        app.transcript.stream("live", "", Channel.THINKING)
        app.transcript.stream("live", "g\nh\n", Channel.THINKING)
        seen = app.shown
        app.transcript.flush()
        await settled(pilot)
        assert app.shown == seen
        assert any(line in before for line in seen)


async def test_phases_replace_one_another_and_updates_keep_the_place() -> None:
    app = Screen([*talk(30), answer(99, " ", None)])
    async with app.run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        app.transcript.phase("a99", "loading m 63 %, 4 s left")
        await settled(pilot)
        assert app.shown[-3:] == [" m", "   loading m 63 %, 4 s left", ""]
        app.transcript.phase("a99", "reading 5,930 tokens 41 %, 2 s left")
        await settled(pilot)
        assert app.shown[-3:] == [" m", "   reading 5,930 tokens 41 %, 2 s left", ""]
        app.transcript.scroll_by(-60)
        await settled(pilot)
        before = app.shown
        app.transcript.update(user(0, "a question of\nmany\nlines\n" * 5))
        app.transcript.append(user(100))
        await settled(pilot)
        assert app.shown == before
        app.transcript.update(replace(user(100), note="queued"))
        app.transcript.follow_end()
        await settled(pilot)
        assert app.shown[-2:] == [" │   queued", ""]


async def test_scrolling_up_through_unseen_messages_never_jumps() -> None:
    chance = random.Random(1)
    items: list[Item] = [
        answer(number, "\n\n".join("word " * chance.randint(1, 60) for _ in range(chance.randint(1, 9))))
        for number in range(80)
    ]
    app = Screen(items)
    async with app.run_test(size=(50, 15)) as pilot:
        await settled(pilot)
        before = app.shown
        for _ in range(200):
            app.transcript.scroll_by(-1)
            assert app.shown[1:] == before[:-1]
            before = app.shown
        for _ in range(150):
            app.transcript.scroll_by(1)
            assert app.shown[:-1] == before[1:]
            before = app.shown
        await settled(pilot)


async def test_resizing_stays_at_the_same_message_and_at_the_end() -> None:
    items = [answer(number, f"start {number} " + "word " * 60) for number in range(50)]
    app = Screen(items)
    async with app.run_test(size=(80, 20)) as pilot:
        await settled(pilot)
        await pilot.resize_terminal(40, 20)
        await settled(pilot)
        assert app.shown[-2].startswith("   word")
        assert app.transcript.following
        app.transcript.show_item("a20")
        await settled(pilot)
        assert app.shown[1].startswith("   start 20")
        await pilot.resize_terminal(100, 30)
        await settled(pilot)
        assert app.shown[1].startswith("   start 20")
        assert all(len(line) <= 100 for line in app.shown)


async def test_ten_thousand_messages_render_only_what_is_seen() -> None:
    app = Screen(talk(5_000))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.shown[-2] == "   answer 4999"
        await pilot.press("home")
        await settled(pilot)
        assert app.shown[1] == " │ question 0"
        app.transcript.show_item("u2500")
        await settled(pilot)
        assert any("question 2500" in line for line in app.shown)
        for _ in range(400):
            app.transcript.scroll_by_pages(1)
        rendered = sum(app.transcript._entries.rendered(index) is not None for index in range(10_000))
        assert rendered <= 320


async def test_messages_are_walked_with_the_keyboard() -> None:
    app = Screen([*talk(12), DividerItem(id="d", text="here"), user(99)])
    async with app.run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        app.transcript.focus_previous()
        await settled(pilot)
        assert app.transcript.focused_id == "u99"
        assert [line for line in app.shown if line.startswith("▎")] == ["▎you", "▎│ question 99"]
        for _ in range(10):
            app.transcript.focus_previous()
        await settled(pilot)
        assert app.transcript.focused_id == "u7"
        assert "▎│ question 7" in app.shown
        for _ in range(20):
            app.transcript.focus_next()
        await settled(pilot)
        assert app.transcript.focused_id is None
        assert app.transcript.following
        assert (app.focuses[0], app.focuses[-1]) == ("u99", None)


async def test_other_items_keep_what_is_the_same() -> None:
    app = Screen(talk(6))
    async with app.run_test(size=(40, 40)) as pilot:
        await settled(pilot)
        lines = app.transcript._entries.rendered(2)
        app.transcript.set_items([*talk(2), answer(7, "another branch")])
        await settled(pilot)
        assert app.transcript._entries.rendered(2) is lines
        assert app.shown[13] == "   another branch"
        assert app.transcript.code_blocks("a7") == []
        app.transcript.set_items([])
        await settled(pilot)
        assert not any(app.shown)


async def test_the_theme_changes_the_colours() -> None:
    app = Screen(talk(1))
    async with app.run_test(size=(40, 10)) as pilot:
        for theme in ("textual-light", "ansi-dark", "nord"):
            before = app.transcript.render_lines(Region(0, 0, 40, 3))
            app.theme = theme
            await settled(pilot)
            after = app.transcript.render_lines(Region(0, 0, 40, 3))
            assert [strip.text for strip in after] == [strip.text for strip in before]
            assert list(after[0]) != list(before[0])


@pytest.mark.parametrize("width", [1, 2, 5, 12])
async def test_no_width_is_too_narrow(width: int) -> None:
    text = "# Title\n\n- a\n  - b\n\n> 中文中文\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| c | d |\n"
    app = Screen([user(1, "中文 wide"), answer(1, text), DividerItem(id="d", text="divider")])
    async with app.run_test(size=(width, 12)) as pilot:
        await settled(pilot)
        app.transcript.scroll_by(-5)
        strips = app.transcript.render_lines(Region(0, 0, *app.transcript.size))
        assert all(strip.cell_length <= width for strip in strips)


async def test_padding_and_border_are_honoured() -> None:
    class Framed(Screen):
        CSS = "#transcript { height: 1fr; padding: 1 2; border: round red; }"

    app = Framed([user(1, "hello")])
    async with app.run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        width, height = app.transcript.outer_size
        rows = [strip.text for strip in app.transcript.render_lines(Region(0, 0, width, height))]
        assert any(row.startswith("│   │ hello") for row in rows)
