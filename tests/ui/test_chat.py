"""The chat screen with the real controller, engine and model: send, cancel, queue, fail, come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homes import sessions_of
from tests.ui.support import LARGE, SMALL, Chats
from tui_chat.chat.model import FinishReason, Sampling
from tui_chat.ui.opening import Opening

ENDLESS = Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=2000)
STORY = "Write a long story about a lighthouse keeper."
"""With `ENDLESS`, the answer to this is longer than a test has patience for."""


async def test_an_answer_arrives_and_is_summed_up(chats: Chats) -> None:
    async with chats.open() as chat:
        await chat.sees("answers here", "enter send", "F1 help")
        await chat.say("Say hello.")
        assert chat.prompt.text == ""
        await chat.answered()
        screen = await chat.sees("Say hello.", "tok/s", "first token", "ctx")
        answer = chat.conversation.tree.path()[-1]
        assert answer.text.split()[0] in screen
        assert "answers here" not in screen


async def test_escape_stops_the_answer_and_keeps_what_it_said(chats: Chats) -> None:
    chats.sampling = ENDLESS
    async with chats.open() as chat:
        await chat.say(STORY)
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens > 3, "for tokens")
        await chat.sees("esc stop", "answering")
        await chat.press("escape")
        await chat.answered()
        screen = await chat.sees("You stopped this answer", "F9 try again")
        assert "esc stop" not in screen
        answer = chat.conversation.tree.path()[-1]
        assert answer.answer.finish is FinishReason.CANCELLED
        assert answer.text

        await chat.press("f9")
        await chat.until(lambda: chat.conversation.live, "for the second try")
        await chat.sees(" 2 of 2 ", "⎇ 2 branches")
        await chat.press("escape")
        await chat.answered()


async def test_typing_goes_on_while_an_answer_streams_and_the_next_message_waits(chats: Chats) -> None:
    chats.sampling = ENDLESS
    async with chats.open() as chat:
        await chat.say(STORY)
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens > 1, "for tokens")
        await chat.press(*"and")
        assert chat.prompt.text == "and"
        await chat.press("enter")
        await chat.sees("queued · sends when this answer ends", "1 queued")
        await chat.press("escape")
        await chat.until(lambda: not chat.conversation.queued and chat.conversation.live, "for its turn")
        await chat.until(lambda: "queued" not in chat.text(), "for the mark to go")
        await chat.press("escape")
        await chat.answered()
        assert [m.text for m in chat.conversation.tree.path()][2] == "and"


async def test_an_answer_is_stopped_also_before_the_engine_knows_of_it(chats: Chats) -> None:
    chats.sampling = ENDLESS
    async with chats.open() as chat:
        await chat.say(STORY)
        await chat.until(lambda: chat.conversation.live, "for the answer to be on its way")
        await chat.press("escape")
        await chat.answered()
        last = chat.conversation.tree.path()[-1]
        assert last.answer.finish is FinishReason.CANCELLED
        assert "knows no answer" not in chat.text()


async def test_a_queued_message_can_be_taken_back_and_edited(chats: Chats) -> None:
    chats.sampling = ENDLESS
    async with chats.open() as chat:
        await chat.say(STORY)
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens > 1, "for tokens")
        await chat.say("first")
        await chat.say("secnd")
        await chat.sees("2 queued", "↑ edit queued")
        await chat.press("up")
        await chat.until(lambda: chat.prompt.text == "secnd", "for the newest queued message")
        await chat.sees("1 queued")
        await chat.until(lambda: "↑ edit queued" not in chat.text(), "for the hint to go: there is text")
        on_disk = sessions_of(chats.home)[0]
        assert [m.text for m in on_disk.queued] == ["first"]
        assert chat.workspace.drafts.read(on_disk.id) == "secnd"
        await chat.press("up")
        assert [m.text for m in chat.conversation.queued] == ["first"], "with text in it, up walks the past"
        await chat.press("down")
        chat.prompt.put("second")
        await chat.press("enter")
        await chat.until(lambda: len(chat.conversation.queued) == 2, "for both to wait")
        assert [m.text for m in chat.conversation.queued] == ["first", "second"]
        await chat.press("escape")
        await chat.until(lambda: len(chat.conversation.queued) == 1 and chat.conversation.live, "the first")
        await chat.press("up")
        await chat.until(lambda: chat.prompt.text == "second", "for the other one")
        await chat.press("escape")
        await chat.answered()


async def test_a_click_on_a_hint_does_what_its_key_does(chats: Chats) -> None:
    async with chats.open() as chat:
        row = chat.text().splitlines()[-1]
        await chat.pilot.click("#chat-hints", offset=(row.index("F2") + 1, 0))
        await chat.sees("SmolLM2", "esc back")


async def test_a_vanished_model_says_what_was_kept_and_what_to_press(chats: Chats) -> None:
    async with chats.open() as chat:
        next(chats.home.paths.models.glob("*.gguf")).unlink()
        await chat.say("Are you there?")
        await chat.answered()
        screen = await chat.sees("F9 try again", "F2 models")
        assert "Are you there?" in screen
        assert screen.count("There is no model called") == 1
        assert "Traceback" not in screen


async def test_draft_and_conversation_are_there_again(chats: Chats) -> None:
    async with chats.open() as chat:
        await chat.say("Name a colour.")
        await chat.answered()
        await chat.press(*"half a thou")
    async with chats.open(opening=Opening(last=True)) as chat:
        await chat.sees("Name a colour.", "half a thou")
        await chat.press("ctrl+u", "up")
        assert chat.prompt.text == "Name a colour."
    async with chats.open() as chat:
        assert chat.prompt.text == ""


async def test_no_model_says_so_and_offers_the_starter_with_one_key(empty_chats: Chats) -> None:
    async with empty_chats.open() as chat:
        await chat.sees("There is no model on this machine yet", "ctrl+g")
        await chat.press("shift+tab")
        await chat.sees("nothing to read yet")
        await chat.say("hello")
        await chat.sees("No model is chosen", "ctrl+g get the starter model")
        assert chat.prompt.text == "hello"
        await chat.press("f2")
        await chat.until(lambda: "Or put a GGUF file into" in chat.text(), "for the picker")


async def test_a_second_terminal_follows_and_forks(chats: Chats) -> None:
    async with chats.open() as first:
        await first.say("Name a colour.")
        await first.answered()
        async with chats.open(opening=Opening(last=True)) as second:
            await second.sees("open elsewhere (pid ", "read-only", "ctrl+t take over", "ctrl+f fork")
            await second.say("mine")
            assert second.prompt.text == "mine"
            await first.say("And another.")
            await second.sees("And another.")
            await first.answered()
            await second.press("ctrl+f")
            await second.until(lambda: "read-only" not in second.text(), "for the fork")
            await second.say("And a third.")
            await second.answered()
            assert len(second.conversation.tree.path()) == 6
        assert len(first.conversation.tree.path()) == 4


async def test_reading_copies_messages_and_code(chats: Chats) -> None:
    async with chats.open() as chat:
        text = "Copy me.\n```python\nprint(1)\n```\nand\n```sh\nls\n```"
        await chat.say(text)
        await chat.answered()
        await chat.press("shift+tab", "k", "c")
        await chat.until(lambda: chat.app.clipboard.startswith("Copy me."), "for the clipboard")
        await chat.sees(f"copied {len(text)} characters")
        await chat.press("b")
        await chat.until(lambda: "Copy which code block?" in chat.text(), "for the question")
        await chat.press("2")
        await chat.until(lambda: chat.app.clipboard.strip() == "ls", "for the code")
        await chat.press("question_mark")
        await chat.until(lambda: "Reading the conversation" in chat.text(), "for the help")
        await chat.press("escape", "escape")
        assert chat.prompt.has_focus


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_nothing_is_cut_off(chats: Chats, size: tuple[int, int]) -> None:
    async with chats.open(size) as chat:
        lines = chat.text().splitlines()
        assert len(lines) == size[1]
        assert lines[0].startswith(" tui-chat   new chat")
        assert lines[0].rstrip().endswith("Q4_1")
        assert lines[-1].rstrip().endswith("F1 help")
        assert "ctrl+p commands" in lines[-1]
        await chat.press(*["ctrl+j"] * 14)
        await chat.until(lambda: chat.prompt.size.height == 10, "for the input to grow")
        await chat.until(lambda: chat.text().splitlines()[-1] == lines[-1], "for the model to be warm")


async def test_sessions_are_listed_filtered_renamed_archived_and_brought_back(chats: Chats) -> None:
    async with chats.open() as chat:
        for text in ("Name a colour.", "Name a tree."):
            await chat.say(text)
            await chat.answered()
            await chat.press("ctrl+n")
            await chat.sees("answers here")
        broken = Path(chats.home.paths.sessions) / "20250101-000000-aaaaaaaa.json"
        broken.write_text('{"schema": 1, "id"')
        await chat.press("f3")
        await chat.until(lambda: "3 sessions" in chat.text(), "for the list")
        listed = chat.text()
        assert "is torn or no session" in listed
        assert listed.index("Name a tree") < listed.index("Name a colour")
        await chat.press(*"colour")
        await chat.until(lambda: "tree" not in chat.text(), "for the filter")
        await chat.press("ctrl+r")
        await chat.until(lambda: "Rename this session" in chat.text(), "for the question")
        await chat.press("ctrl+u", *"hue", "enter")
        await chat.press(*["backspace"] * 6)
        await chat.until(lambda: "hue" in chat.text(), "for the new title")
        await chat.press(*"hue", "ctrl+x")
        await chat.until(lambda: "ctrl+z brings it back" in chat.text(), "for the archive")
        assert len(await chat.workspace.sessions(archived=True)) == 2  # the damaged one is in every list
        await chat.press("ctrl+z")
        await chat.until(lambda: "brought back" in chat.text(), "for the undo")
        await chat.until(lambda: chat.app.screen.query_one("FilteredList").current, "for the row")
        await chat.press("enter")
        await chat.sees("Name a colour.", "hue")
