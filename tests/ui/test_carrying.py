"""Conversations are written to files from the chat, and read from files into it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.chat.test_export import session, with_more
from tests.strategies import START
from tests.ui.snapshot import check, named
from tests.ui.support import SMALL, Chat, Chats
from tui_chat.chat.model import Answer, FinishReason, Message, Role
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening


@pytest.fixture
def here(chats: Chats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder one is in; there is a chat of tea with two answers."""
    answer = Answer("llama", finish=FinishReason.STOP)
    other = Message("other", Role.ASSISTANT, "Two minutes.", START, "m0", answer=answer)
    tea = with_more(session("How long?", "Three minutes."), other)
    store = SessionStore(chats.home.paths.sessions)
    store.create(msgspec.structs.replace(tea, id="tea", title="Black / tea")).close()
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def command(chat: Chat, title: str) -> None:
    """Choose a command in the palette."""
    await chat.press("ctrl+p", *title)
    await chat.sees(f"{title}…")
    await chat.press("enter")


async def test_a_branch_and_the_tree_are_written_and_nothing_is_overwritten_unasked(
    chats: Chats, here: Path
) -> None:
    file = here / "black-tea.md"
    file.write_text("mine")
    async with chats.open(SMALL, Opening(name="tea")) as chat:
        await command(chat, "Export the whole conversation")
        await chat.sees("Export the whole conversation as", "JSON, which can be imported again")
        await chat.press("1")
        await chat.sees("to which file?", "black-tea.md")
        await chat.press("enter")
        await chat.sees("exists already; enter once more")
        await check(named("export", SMALL), chat)
        assert file.read_text() == "mine"
        await chat.press("enter")
        await chat.sees("wrote ", " B to ")
        assert "Two minutes." in file.read_text()

        file.unlink()
        await command(chat, "Export this branch")
        await chat.sees("Export this branch as")
        await chat.press("1")
        await chat.sees("to which file?")
        await chat.press("enter")
        await chat.until(file.exists, "for the branch")
        assert "Two minutes." not in file.read_text()

        await command(chat, "Export this branch")
        await chat.press("3")
        await chat.sees("to which file?")
        await chat.press("home", *"none/", "enter")
        await chat.sees("is not there any")
        await chat.press("escape")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")


async def test_files_are_taken_in_and_refused_with_a_reason(chats: Chats, here: Path) -> None:
    talk = [{"role": "user", "content": "Hello from afar"}, {"role": "assistant", "content": "Hi."}]
    (here / "one.json").write_text(json.dumps(talk))
    (here / "two.json").write_text(json.dumps([{"messages": talk}, {"messages": talk}]))
    (here / "bad.json").write_text('{"a": 1}')
    async with chats.open(SMALL) as chat:
        await command(chat, "Import conversations from a file")
        await chat.sees("from which file?")
        await chat.press(*"bad.json", "enter")
        await chat.sees("bad.json cannot be imported")
        await chat.press("ctrl+u", *"~nobody-here/x", "enter")
        await chat.sees("~nobody-here/x cannot be read: No such file or directory.")
        await chat.press("ctrl+u", *"one.json", "enter")
        await chat.sees("Hello from afar", "imported 1 conversation")
        await command(chat, "Import conversations from a file")
        await chat.sees("from which file?")
        await chat.press(*"two.json", "enter")
        await chat.sees("sessions   4 sessions", "imported 2 conversations")
