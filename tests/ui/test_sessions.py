"""The list of sessions stays tidy: forks folded, tags to narrow by, archive and trash with a way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.chat.test_export import session
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, Chat, Chats
from tui_chat.chat.model import Origin, Session
from tui_chat.store.listing import SessionSummary
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.ui.session_rows import session_rows
from tui_chat.ui.widgets.filtered import FilteredList

NOW = datetime.now(UTC)


def talk(id: str, title: str, hours: int, origin: str = "", **fields: object) -> Session:
    made = session("How long?", "Two minutes.", origin=Origin(origin, "m1") if origin else None, **fields)
    return msgspec.structs.replace(
        made, id=id, title=title, model=None, created=NOW, updated=NOW - timedelta(hours=hours)
    )


@pytest.fixture
def store(chats: Chats) -> SessionStore:
    """A chat with two forks, one of which was forked again; one with tags; an archived one."""
    store = SessionStore(chats.home.paths.sessions, trash_days=30)
    for each in (
        talk("lamps", "Lamps", 2, tags=("home", "light")),
        talk("paint", "Paint bot", 9),
        talk("blue", "Paint bot in blue", 5, "paint"),
        talk("navy", "Paint bot in navy", 1, "blue"),
        talk("red", "Paint bot in red", 7, "paint"),
        talk("old", "Old letters", 30, archived=True),
    ):
        store.create(each).close()
    return store


def listed(chat: Chat) -> list[str]:
    return [row.id for row in chat.app.screen.query_one(FilteredList)._shown]


async def lists(chat: Chat, *ids: str) -> None:
    await chat.until(lambda: listed(chat) == list(ids), f"for {ids}")


@SIZES
async def test_forks_are_folded_and_tags_narrow(
    chats: Chats, store: SessionStore, size: tuple[int, int]
) -> None:
    async with chats.open(size) as chat:
        await chat.press("f3")
        await lists(chat, "paint", "lamps")
        await chat.sees("⎇ 3 forks", "#home")
        await chat.press("right")
        await lists(chat, "paint", "blue", "navy", "red", "lamps")
        await chat.press("end", "down", "down", "down", "down", "ctrl+t")
        await chat.sees("Tags of this session")
        await chat.press("end", *", #dark", "enter")
        await chat.sees("tagged", "#home  #light  #dark")
        await chat.press("ctrl+a")
        await chat.sees("archived ones too", "Old letters")
        await check(named("sessions", size), chat)
        await chat.press(*"navy")
        await lists(chat, "navy")
        await chat.press(*["backspace"] * 4, *"#dark")
        await lists(chat, "lamps")
        await chat.press(*["backspace"] * 5, "up", "up", "up", "left")
        await lists(chat, "paint", "lamps", "old")
    assert next(s for s in store.list() if s.id == "lamps").tags == ("home", "light", "dark")


async def test_what_is_put_away_comes_back(chats: Chats, store: SessionStore) -> None:
    async with chats.open(LARGE, Opening(name="paint")) as chat:
        await chat.press("f3")
        await lists(chat, "paint", "lamps")
        for key, doing in (("ctrl+x", "archiving"), ("ctrl+d", "deleting")):
            await chat.press(key)
            await chat.sees(f"This session is on the screen; start another one (ctrl+n) before {doing} it.")
        await chat.press("down", "ctrl+x")
        await lists(chat, "paint")
        await chat.press("ctrl+z")
        await lists(chat, "paint", "lamps")
        await chat.press("down", "ctrl+d")
        await chat.sees("in the trash · ctrl+z brings it back")
        await lists(chat, "paint")
        await chat.press("ctrl+z")
        await lists(chat, "paint", "lamps")
        await chat.press("down", "ctrl+d")
        await lists(chat, "paint")
        await chat.press("ctrl+b")
        await chat.sees("trash   1 session", "Lamps", "goes for good in 30 days")
        await check(named("trash", LARGE), chat)
        await chat.press(*"zzz")
        await chat.sees("No session here is called that.")
        await chat.press("ctrl+u")
        await chat.press("enter")
        await chat.sees("The trash is empty. Sessions that are deleted wait here")
        await chat.press("escape")
        await lists(chat, "paint", "lamps")
        await chat.press("down", "ctrl+d")
        await lists(chat, "paint")
        await chat.press("ctrl+b")
        await chat.sees("trash   1 session")
        await chat.press("ctrl+d")
        await chat.sees("Delete for good? Nothing brings it back.", "1  keep it", "2  delete “Lamps”")
        await chat.press("enter")
        await chat.sees("goes for good in 30 days")
        await chat.press("ctrl+d", "2")
        await chat.sees("1 session deleted for good", "The trash is empty.")
        await chat.press("escape")
        await lists(chat, "paint")
        await chat.press("ctrl+t")
        await chat.sees("Tags of this session")
        await chat.press(*"art", "enter")
        await chat.sees("#art")
    assert next(s for s in store.list() if s.id == "paint").tags == ("art",), "of the session on the screen"


async def test_forks_whose_files_name_each_other_are_listed_once(chats: Chats) -> None:
    def summary(id: str, origin: str) -> SessionSummary:
        return SessionSummary(
            id=id, title=id, updated=NOW, messages=1, archived=False, preview="", size_bytes=1,
            origin=Origin(origin, "m"),
        )  # fmt: skip

    rows = session_rows([summary("a", "b"), summary("b", "a"), summary("c", "b"), summary("d", "d")])
    assert sorted(row.summary.id for row in rows) == ["a", "b", "c", "d"]
    assert {row.root for row in rows} == {"a", "d"}
