"""What was sent before is found in all sessions and put into the input."""

from __future__ import annotations

from tests.ui.snapshot import check
from tests.ui.support import SMALL, Chats


async def test_what_was_sent_is_found_and_undo_gives_back_what_stood_there(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        for text in ("Say hello.", "Name a lighthouse\nand a sea.", "Say hello."):
            chat.workspace.history.append(text)
        await chat.press(*"draft", "ctrl+o", "h")
        await chat.sees("Say hello.", "Name a lighthouse and a sea.", "2 lines", "2 messages")
        await check("history-80x24", chat)
        await chat.press(*"lhsea")
        await chat.until(lambda: "Say hello." not in chat.text(), "for the list to be narrowed")
        await chat.press("enter")
        await chat.until(lambda: chat.prompt.text == "Name a lighthouse\nand a sea.", "for it")
        await chat.press("ctrl+z")
        await chat.until(lambda: chat.prompt.text == "draft", "for what stood there")
