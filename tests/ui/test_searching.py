"""A message is found in whatever session and on whatever branch it is, and gone to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.chat.test_export import session, with_more
from tests.strategies import START
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.ui.transcript.view import Transcript


def yesterday(talk: Session, **fields: object) -> Session:
    """The same as if it had been said a day ago, whenever the test is run."""
    later = datetime.now(UTC) - timedelta(hours=27) - START
    messages = tuple(msgspec.structs.replace(each, created=each.created + later) for each in talk.messages)
    times = {"created": talk.created + later, "updated": talk.updated + later}
    return msgspec.structs.replace(talk, messages=messages, **times, **fields)


@pytest.fixture
def store(chats: Chats) -> SessionStore:
    """A long chat of tea with two answers to its first question, and a short one of lamps."""
    store = SessionStore(chats.home.paths.sessions)
    turns = [text for n in range(60) for text in (f"And cup {n}?", f"Cup {n} takes a while, as ever.")]
    tea = session("How long must the keemun steep?", "Three minutes, \x1b[2J no more.", *turns)
    other = Message(
        "other",
        Role.ASSISTANT,
        "Keemun? Two minutes.",
        START,
        "m0",
        answer=Answer("llama", finish=FinishReason.STOP),
    )
    store.create(yesterday(with_more(tea, other), id="tea", tags=("kitchen",))).close()
    lamps = session("Which oil for the lamp?", "Lamp oil, never keemun.")
    store.create(yesterday(lamps, id="lamps", title="Lamps", archived=True)).close()
    return store


def view(chat: Chat) -> Transcript:
    return chat.screen.transcript


def visible(transcript: Transcript, id: str) -> bool:
    """Whether the beginning of a message is in view."""
    layout, entries = transcript._entries.layout, transcript._entries
    top = layout.top(entries.index(id)) - transcript.scroll_offset.y
    return 0 <= top < transcript.size.height


@SIZES
async def test_a_message_is_found_as_one_types_and_gone_to_on_its_branch(
    chats: Chats, store: SessionStore, size: tuple[int, int]
) -> None:
    async with chats.open(size) as chat:
        await chat.press("ctrl+r")
        await chat.sees("find in all sessions", "All words must be in one message")
        await chat.press(*"keemun")
        await chat.sees("3 found", "Lamp oil, never keemun.", "How long must the keemun steep?")
        await check(named("search", size), chat)
        await chat.press(*" two")
        await chat.sees("1 found", "Keemun? Two minutes.")
        await chat.press("enter")
        await chat.until(lambda: chat.conversation.tree.leaf == "other", "for its branch")
        await chat.until(lambda: view(chat).focused_id == "other", "for the keyboard to be on it")
        assert chat.screen.reading
        await chat.press("ctrl+r", *'"cup 7" tag:kitchen')
        await chat.sees("Cup 7 takes a while")
        await chat.press("down", "enter")
        await chat.until(lambda: view(chat).focused_id == "m16", "for a message in the midst")
        await chat.until(lambda: visible(view(chat), "m16"), "for it to be in view")


async def test_it_is_found_from_the_list_of_sessions_and_in_an_archived_one(
    chats: Chats, store: SessionStore
) -> None:
    async with chats.open(LARGE) as chat:
        await chat.press("f3")
        await chat.sees("1 session")
        await chat.press(*"jabberwock", "ctrl+f")
        await chat.sees("Nothing was found.")
        await chat.press(*["backspace"] * 10, *"lamp")
        await chat.sees("Lamp oil, never keemun.", "an answer, archived")
        await chat.press("down", "enter")
        await chat.until(lambda: chat.conversation.session.id == "lamps", "for the session")
        await chat.until(lambda: view(chat).focused_id, "for the message")


async def test_a_session_that_is_open_elsewhere_shows_what_is_on_its_branch(
    chats: Chats, store: SessionStore
) -> None:
    with store.open("tea"):
        async with chats.open(SMALL, Opening(name="tea")) as chat:
            await chat.sees("read-only here")
            await chat.press("ctrl+r", *"two minutes")
            await chat.sees("1 found")
            await chat.press("enter")
            await chat.sees("it is on another branch")
            await chat.press("ctrl+r", *"three minutes")
            await chat.sees("1 found")
            await chat.press("enter")
            await chat.until(lambda: view(chat).focused_id == "m1", "for the message")


async def test_how_far_reading_is_is_told(chats: Chats) -> None:
    store, told = SessionStore(chats.home.paths.sessions), []
    for number in range(40):
        talk = session("Which oil?", f"Oil {number}.")
        store.create(msgspec.structs.replace(talk, id=f"talk-{number}")).close()
    async with chats.open(SMALL) as chat:
        collection = chat.workspace.collection
        assert await collection.glance("oil", 50) == ()
        await collection.catch_up(lambda done, total: told.append((done, total)))
        assert told == [(32, 40), (40, 40)]
        assert len(await collection.glance("which", 50)) == 40
