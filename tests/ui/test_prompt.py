"""The input: what its keys do, how it grows, what it remembers."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot

from tui_chat.ui.held import is_large
from tui_chat.ui.pasting import END, START, PasteParser
from tui_chat.ui.widgets.prompt import Past, Prompt


class _App(App[None]):
    CSS = "#entry { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def compose(self) -> ComposeResult:
        with Horizontal(id="entry"):
            yield Prompt("Ask")

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.sent.append(event.text)


@contextlib.asynccontextmanager
async def _prompt(width: int = 30) -> AsyncIterator[tuple[Pilot[None], _App, Prompt]]:
    app = _App()
    async with app.run_test(size=(width, 20)) as pilot:
        prompt = app.query_one(Prompt)
        prompt.focus()
        await pilot.pause()
        yield pilot, app, prompt


async def test_enter_sends_once_and_empties() -> None:
    async with _prompt() as (pilot, app, prompt):
        await pilot.press(*"hi", "enter", "enter")
        assert (app.sent, prompt.text) == (["hi"], "")


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "shift+\r"])
async def test_newline_keys_break_the_line_and_never_send(key: str) -> None:
    async with _prompt() as (pilot, app, prompt):
        await pilot.press("a")
        prompt.post_message(events.Key(key, None))
        await pilot.press("b")
        assert (app.sent, prompt.text) == ([], "a\nb")


async def test_it_grows_with_its_lines_and_with_wrapping_up_to_ten() -> None:
    async with _prompt() as (pilot, _, prompt):
        assert prompt.size.height == 1
        await pilot.press("ctrl+j", "ctrl+j")
        assert prompt.size.height == 3
        prompt.put("word " * 20)
        await pilot.pause()
        assert prompt.size.height == 4
        prompt.put("\n" * 30)
        await pilot.pause()
        assert prompt.size.height == 10


async def test_a_paste_has_line_feeds_and_never_sends() -> None:
    async with _prompt() as (pilot, app, prompt):
        app.post_message(events.Paste("one\r\ntwo\rthree\r"))
        await pilot.pause()
        assert (app.sent, prompt.text) == ([], "one\ntwo\nthree\n")


CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
pieces = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(max_codepoint=0xA0), max_size=40),
    st.sampled_from(
        ["\x1b[31mred\x1b[0m", "\x1b]52;c;aGk=\x07", "\x00" * 9, "\u202egnp.exe", "e\u0301" * 50]
    ),
    st.sampled_from(["line\r\n" * 30, "\x1b[2J" * 600, "👩‍👩‍👧" * 800, "\ud83d", "a\x85b\u2028c\x0bd\x0ce"]),
)


@settings(max_examples=6)
@given(st.lists(pieces, min_size=4, max_size=12))
def test_whatever_is_pasted_nothing_is_sent_lost_or_drives_the_terminal(pasted: list[str]) -> None:
    async def paste() -> None:
        async with _prompt() as (pilot, app, prompt):
            for text in pasted:
                await pilot.press("home")
                before, held = prompt.text, prompt.attachments
                app.post_message(events.Paste(text))
                await pilot.pause()
                assert app.sent == []
                assert not CONTROLS.search(prompt.text)
                ends = text.replace("\r\n", "\n").replace("\r", "\n")
                if is_large(ends):
                    assert prompt.text == before
                    assert prompt.attachments[-1].text == ends.encode("utf-8", "replace").decode()
                else:
                    assert prompt.attachments == held
                    seen = Counter(filter(str.isprintable, prompt.text))
                    assert seen >= Counter(filter(str.isprintable, before + text))

    asyncio.run(paste())


@given(
    st.text(st.sampled_from("\x1b[]20~<;Mmab\r\n\x00é👩"), max_size=40).filter(
        lambda text: END not in text + END[:5]
    ),
    st.lists(st.integers(0, 60), max_size=5),
)
@example("\x1b[31mred\r", [])
@example("\x1b", [7])
def test_no_key_is_found_in_a_paste_however_it_is_cut(text: str, cuts: list[int]) -> None:
    parser, sent = PasteParser(), f"a{START}{text}{END}b"
    places = sorted({0, *(cut for cut in cuts if cut < len(sent)), len(sent)})
    found = [each for start, end in pairwise(places) for each in parser.feed(sent[start:end])]
    assert [
        each.text if isinstance(each, events.Paste) else getattr(each, "key", each) for each in found
    ] == [
        "a",
        text.replace("\x00", ""),
        "b",
    ]


async def test_a_burst_of_keys_keeps_its_order() -> None:
    async with _prompt() as (pilot, app, _):
        for key in ("a", "backspace", "b", "ctrl+j", "c", "ctrl+u"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        app.post_message(events.Paste("d\re"))
        app.post_message(events.Key("enter", None))
        await pilot.pause()
        assert app.sent == ["b\nd\ne"]


async def test_up_walks_through_what_was_sent_and_down_gives_the_draft_back() -> None:
    async with _prompt() as (pilot, _, prompt):
        prompt.past.fill(["first", "second\nline"])
        await pilot.press(*"draft", "up")
        assert prompt.text == "second\nline"
        await pilot.press("up", "up")  # from its last line to its first, then to the entry before
        assert prompt.text == "first"
        await pilot.press("up")
        assert prompt.text == "first"
        await pilot.press("down", "down")
        assert prompt.text == "draft"


async def test_undo_takes_back_a_walk_and_typing() -> None:
    async with _prompt() as (pilot, _, prompt):
        prompt.past.fill(["sent"])
        await pilot.press(*"mine", "up", "ctrl+z")
        assert prompt.text == "mine"


def test_the_same_message_twice_is_remembered_once() -> None:
    past = Past()
    past.add("a")
    past.add("a")
    assert past.earlier("") == "a"
    assert past.earlier("") is None
