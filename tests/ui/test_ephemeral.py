"""A chat that is kept nowhere: not one word of it reaches the disk, whatever is done with it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.homes import Home
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.model import Sampling
from tui_chat.store.drafts import NEW_CHAT
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.dialogs import PickScreen

SECRET, UNSENT = "Zanthoxylum", "Quillwort"
QUESTION = f"Tell me about {SECRET}. " + "It grows by the sea and in the hills, and its name is long. " * 3
"""Long enough for its cache to be worth parking."""


def holding(home: Home, text: str) -> list[Path]:
    """The files of the home that contain `text`, whatever kind of files they are."""
    files = (path for path in home.root.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if text.encode() in path.read_bytes()]


def parked_in_memory(home: Home) -> list[str]:
    """What the engine has open of parks in RAM."""
    engine = home.engine()
    assert engine is not None
    links = []
    for handle in Path(f"/proc/{engine.pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # it was closed meanwhile
            links.append(str(handle.readlink()))
    return [link for link in links if "tui-chat-park" in link]


async def talk(chat: Chat) -> str:
    """Type, send, answer, answer again, leave something unsent, and have the model go; what was said."""
    await chat.press(*UNSENT)
    await chat.screen._drafts.flush()
    await chat.say(QUESTION)
    await chat.answered()
    await chat.press("shift+tab", "x")
    await chat.until(lambda: len(chat.conversation.session.messages) == 3, "for another answer")
    await chat.answered()
    await chat.press("tab", *UNSENT)
    await chat.screen._drafts.flush()
    await chat.workspace.unload(chat.conversation.session.model)
    return chat.conversation.tree.path()[-1].text


@pytest.mark.parametrize("ephemeral", [True, False], ids=["ephemeral", "kept"])
async def test_no_file_has_a_word_of_it_also_after_its_model_went(chats: Chats, ephemeral: bool) -> None:
    chats.sampling = Sampling(temperature=0.0, max_tokens=24)
    home = chats.home
    async with chats.open(LARGE, Opening(ephemeral=ephemeral)) as chat:
        answer = await talk(chat)
        assert len(answer) > 30
        assert bool(parked_in_memory(home)) is not ephemeral
        during = [holding(home, word) for word in (SECRET, UNSENT, answer[:20])]
    assert home.run("engine", "stop").returncode == 0
    after = [holding(home, word) for word in (SECRET, UNSENT, answer[:20])]
    parks = [path for path in home.paths.parks.rglob("*") if path.is_file()]
    if ephemeral:
        assert (during, after) == ([[], [], []], [[], [], []])
        assert parks == []
        assert list(home.paths.sessions.glob("*.json")) == []
    else:
        assert all(during), "or this test would find nothing whatever happened"
        assert all(after)
        assert parks


@SIZES
async def test_it_says_what_it_is_and_asks_once_before_it_is_left(
    chats: Chats, size: tuple[int, int]
) -> None:
    async with chats.open(size, Opening(ephemeral=True)) as chat:
        await chat.sees(" ephemeral ", "nothing of this chat is kept")
        await chat.press("ctrl+n")
        await chat.sees("every word is kept")
        assert "ephemeral" not in chat.text(), "nothing was said, and so nothing is asked"
        await chat.press("ctrl+p", *"kept nowhere")
        await chat.sees("Start a chat that is kept nowhere")
        await chat.press("enter")
        await chat.sees("nothing of this chat is kept")
        await chat.say("Hello.")
        await chat.answered()
        await chat.press("ctrl+n")
        await chat.sees("This chat is kept nowhere. Close it?")
        await check(named("ephemeral", size), chat, chat.conversation.tree.path()[-1].text)
        await chat.press("2")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")
        assert chat.conversation.ephemeral
        await chat.press("ctrl+q")
        await chat.sees("Close it?")
        await chat.press("escape")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")
        assert chat.app.return_code is None
        await chat.press("ctrl+n")
        await chat.sees("Close it?")
        await chat.press("1")
        await chat.until(lambda: not chat.conversation.ephemeral, "for another chat")


async def test_neither_undo_nor_the_keys_for_what_was_sent_bring_its_words_elsewhere(chats: Chats) -> None:
    chats.home.paths.state.mkdir(parents=True, exist_ok=True)
    async with chats.open(SMALL) as chat:
        await chat.press(*"half a thought")
        await chat.screen._drafts.flush()
        chat.screen.new_chat(ephemeral=True)
        await chat.sees("ephemeral")
        assert chat.prompt.text == "", "what was being typed elsewhere does not belong here"
        await chat.say(SECRET)
        await chat.answered()
        await chat.press(*UNSENT)
        await chat.press("ctrl+n")
        await chat.sees("Close it?")
        await chat.press("1")
        await chat.until(lambda: chat.prompt.text == "half a thought", "for the draft of a new chat")
        await chat.press("ctrl+u", "ctrl+z", "ctrl+z", "ctrl+z", "up", "up")
        assert SECRET not in chat.prompt.text
        assert UNSENT not in chat.prompt.text
        await chat.screen._drafts.flush()
        assert SECRET not in chat.workspace.drafts.read(NEW_CHAT)


async def test_it_cannot_be_forked_into_a_session(chats: Chats) -> None:
    async with chats.open(SMALL, Opening(ephemeral=True)) as chat:
        await chat.say("Hello.")
        await chat.answered()
        await chat.press("shift+tab", "f")
        await chat.press("f4")
        await chat.sees("fork")
        await chat.press("f")
        await chat.sees("This chat is kept nowhere, and so it cannot be forked")
        assert list(chats.home.paths.sessions.glob("*.json")) == []
        await chat.press("escape")


async def test_quitting_leaves_when_that_is_what_was_meant(chats: Chats) -> None:
    async with chats.open(SMALL, Opening(ephemeral=True)) as chat:
        await chat.say("Hello.")
        await chat.answered()
        await chat.press("f3", "ctrl+q")
        await chat.until(lambda: isinstance(chat.app.screen, PickScreen), "for the question over the list")
        await chat.press("escape")
        await chat.sees("sessions", "type to filter")
        await chat.press("escape", "ctrl+q")
        await chat.until(lambda: isinstance(chat.app.screen, PickScreen), "for the question")
        await chat.press("1")
        await chat.until(lambda: not chat.app.is_running, "for the end")
