"""Words are found in the open chat: walked through, marked, and followed to other branches."""

from __future__ import annotations

import msgspec
import pytest

from tests.chat.test_export import session, with_more
from tests.strategies import START
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import SMALL, Chat, Chats
from tui_chat.chat.finding import find, sought
from tui_chat.chat.model import Answer, FinishReason, Message, Role
from tui_chat.chat.tree import ChatTree
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening


@pytest.fixture
def store(chats: Chats) -> SessionStore:
    """A chat of 1,000 messages with one more answer beside its first."""
    turns = [text for n in range(499) for text in (f"And cup {n}?", f"Cup {n} takes a while,\nas *ever*.")]
    tea = session("How long must the keemun steep?", "Keemun? KEEMUN! Three minutes.", *turns)
    answer = Answer("llama", finish=FinishReason.STOP)
    other = Message("other", Role.ASSISTANT, "Keemun? Two minutes.", START, "m0", answer=answer)
    store = SessionStore(chats.home.paths.sessions)
    store.create(msgspec.structs.replace(with_more(tea, other), id="tea")).close()
    return store


async def at(chat: Chat, message: str, count: str) -> None:
    """Wait until the keyboard is on a message, with this said in the bar."""
    await chat.until(lambda: chat.screen.transcript.focused_id == message, f"for {message}")
    await chat.sees(count)


@SIZES
async def test_words_are_walked_through_and_followed_to_another_branch(
    chats: Chats, store: SessionStore, size: tuple[int, int]
) -> None:
    async with chats.open(size, Opening(name="tea")) as chat:
        await chat.sees("Cup 498")
        await chat.press("ctrl+underscore", *"keemun")
        await at(chat, "m1", "3 of 3 · 1 message on other branches, ctrl+b")
        await check(named("find", size), chat)
        await chat.press("up", "up")
        await at(chat, "m0", "1 of 3")
        await chat.press("up")
        await at(chat, "m1", "3 of 3")
        await chat.press("ctrl+b")
        await at(chat, "other", "2 of 2 · 1 message on other branches")
        assert chat.conversation.tree.leaf == "other"
        await chat.press("ctrl+b")
        await at(chat, "m1", "2 of 3")
        await chat.press("escape")
        await chat.until(lambda: chat.screen.reading, "for the conversation to have the keyboard")
        assert chat.screen.transcript.focused_id == "m1"
        assert not chat.screen.query("#chat-find")


async def test_the_bar_keeps_its_letters_and_says_when_there_is_nothing(
    chats: Chats, store: SessionStore
) -> None:
    async with chats.open(SMALL, Opening(name="tea")) as chat:
        await chat.sees("Cup 498")
        await chat.press("shift+tab", "slash", *"dujUx")
        await chat.sees("nothing on this branch")
        assert chat.screen.query_one("#chat-find Input").value == "dujUx"
        assert len(chat.conversation.tree.path()) == 1000, "no letter did anything to the tree"
        await chat.press(*["backspace"] * 5, *"up 3?")
        await at(chat, "m8", "1 of 1")
        await chat.press(*["backspace"] * 5, *"while, as")
        await chat.sees(" of 499")


def test_what_was_removed_is_not_found() -> None:
    gone = Message("gone", Role.USER, "Steep it", START, "m1", removed=START)
    below = Message("below", Role.USER, "Steep it longer", START, "gone")
    tree = ChatTree(with_more(session("Steep?", "Yes."), gone, below))
    assert find(tree, sought("STEEP")) == ((("m0", 0),), ())
