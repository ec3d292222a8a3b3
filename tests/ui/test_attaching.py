"""What goes with a message: folded, read, expanded, taken away, undone, sent, kept."""

from __future__ import annotations

from textual import events

from tests.homes import sessions_of
from tests.ui.snapshot import check
from tests.ui.support import SMALL, Chats
from tui_chat.chat.attachments import Attachment
from tui_chat.ui.opening import Opening

PASTED = "".join(f"line {number} of the log\r" for number in range(30))
TEXT = PASTED.replace("\r", "\n")
HUGE = "".join(f"{number:05} the keeper wrote this line\r" for number in range(12_195))


async def test_a_large_paste_folds_and_can_be_read_expanded_removed_and_brought_back(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        chat.app.post_message(events.Paste(PASTED))
        chat.app.post_message(events.Key("W", "W"))
        chat.app.post_message(events.Key("h", "h"))
        await chat.sees("pasted 30 lines", "tokens", "ctrl+o v")
        assert chat.prompt.text == "Wh"
        assert not chat.conversation.session.messages
        await chat.press("ctrl+o", "v")
        await chat.sees("ctrl+e into the input", "pasted 30 lines")
        await chat.press("enter")
        await chat.sees("line 5 of the log", "esc close")
        await chat.press("escape", "ctrl+e")
        await chat.until(lambda: chat.prompt.text == "Wh" + TEXT, "for its text")
        assert chat.prompt.attachments == ()
        await chat.press("ctrl+z")
        assert (chat.prompt.text, chat.prompt.attachments) == ("Wh", (Attachment("", TEXT),))
        await chat.press("ctrl+o", "v")
        await chat.sees("ctrl+d remove")
        await chat.press("ctrl+d")
        await chat.until(lambda: not chat.prompt.attachments, "for it to go")
        await chat.press("ctrl+z")
        await chat.sees("pasted 30 lines")
        await chat.press("ctrl+y")
        await chat.until(lambda: "pasted 30 lines" not in chat.text(), "for it to go again")
        await chat.press("ctrl+z")
        await chat.sees("pasted 30 lines")
        await check("attached-80x24", chat)


async def test_a_huge_paste_stays_out_of_the_input(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        chat.app.post_message(events.Paste(HUGE))
        await chat.sees("pasted 12,195 lines")
        await chat.press("ctrl+o", "v")
        await chat.sees("ctrl+e into the input")
        await chat.press("ctrl+e")
        await chat.sees("too many to edit in the input")
        assert chat.prompt.text == ""
        assert chat.prompt.attachments[0].text == HUGE.replace("\r", "\n")


async def test_it_is_kept_with_the_draft_sent_with_the_message_and_shown(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        chat.app.post_message(events.Paste(PASTED))
        await chat.press(*"Why?")
        await chat.sees("pasted 30 lines")
    async with chats.open(SMALL) as chat:
        await chat.sees("pasted 30 lines", "Why?")
        await chat.press("enter")
        await chat.until(lambda: chat.conversation.session.messages, "for it to be sent")
        await chat.answered()
        await chat.sees("+ pasted 30 lines")
        (kept,) = sessions_of(chats.home)
        assert kept.messages[0].attachments == (Attachment("", TEXT),)
        assert kept.messages[1].answer.usage.prompt_tokens > 200, "the model has read it"
        assert chat.prompt.attachments == ()
        await chat.press("shift+tab", "k", "ctrl+o", "v")
        await chat.sees("to a message that was sent")
        await chat.press("ctrl+d")
        await chat.sees("it was sent like that")
        await chat.press("escape", "e")
        await chat.until(lambda: chat.prompt.attachments == (Attachment("", TEXT),), "to edit it")
        await chat.press("escape")
        await chat.until(lambda: chat.prompt.attachments == (), "for the message to be left alone")
        title = kept.title
    async with chats.open(SMALL, Opening(name=title)) as chat:
        await chat.sees("+ pasted 30 lines")
        assert chat.prompt.attachments == ()
