"""The settings on the screen, with a real file: found, changed one by one, undone, and in force at once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.config.settings import load_settings
from tui_chat.ui.screens.settings import SettingsScreen

MINE = """\
# mine
[ui]
instruments = false  # quiet
mose = 1
stream_fps = 500
[models]
threads = 1
[servers.gpu-box]
url = "http://me:pw@gpu-box:8000"
headers = { Authorization = "sk-1" }
[detect]
enabled = false
[sampling]
max_tokens = 8
"""


@contextlib.asynccontextmanager
async def opened(chats: Chats, size: tuple[int, int], text: str = MINE) -> AsyncIterator[Chat]:
    """The settings over a chat whose settings are `text`."""
    chats.home.config.parent.mkdir(parents=True, exist_ok=True)
    chats.home.config.write_text(text)
    settings = load_settings(chats.home.config).settings
    async with chats.open(size, settings=settings) as chat:
        await chat.press("ctrl+p")
        await chat.press(*"change the settings")
        await chat.sees("Show and change the settings")
        await chat.press("enter")
        await chat.until(lambda: isinstance(chat.app.screen, SettingsScreen), "for the settings")
        await chat.sees("ui.theme   text", "by its name or what it does")
        yield chat


async def find(chat: Chat, words: str, *sees: str) -> None:
    """Find the setting that is meant by `words`."""
    await chat.press("end", "ctrl+u", *words)
    await chat.sees(f"› {words}", *sees)


def text(chats: Chats) -> str:
    return chats.home.config.read_text()


@SIZES
async def test_all_are_listed_with_value_origin_and_effect(
    chats: Chats, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CHAT_UI_MOUSE", "false")
    async with opened(chats, size) as chat:
        await chat.sees("line 4: ui.mose is no setting", "line 5: ui.stream_fps is 500", "environment")
        await chat.press("down", "down", "down")
        await chat.sees("line 3 of ~/config/tui-chat/config.toml", "takes effect at once")
        await check(named("settings", size), chat)
        await find(chat, "how freely", "sampling.temperature   a number from 0 to 5", "0.7 by default")
        await find(chat, "gpu-box headers", "(hidden)")
        assert "sk-1" not in chat.text()
        await find(chat, "gpu-box url", "http://…@gpu-box:8000")
        await find(chat, "ui.mouse", "set by TUI_CHAT_UI_MOUSE where tui-chat was started")
        await chat.press("enter")
        await chat.sees("started; change it")
        assert text(chats) == MINE
        await find(chat, "zzzz", "No setting is called that")
        await find(chat, "mouse", "ui.mouse")
        assert "temperature" not in chat.text(), "letters are looked for only where no word is"
        await chat.press("enter", "escape")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")


async def test_changes_go_to_the_file_take_effect_and_are_undone(chats: Chats) -> None:
    async with opened(chats, LARGE) as chat:
        await find(chat, "ui.instruments", "takes effect at once")
        await chat.press("enter")
        await chat.sees("ui.instruments = true · at once · ctrl+z takes it back")
        assert text(chats) == MINE.replace("instruments = false", "instruments = true")
        await chat.until(lambda: chat.screen._presenter._facts.sample is not None, "for the instruments")
        await chat.press("ctrl+z")
        await chat.sees("ui.instruments is as it was before")
        assert text(chats) == MINE
        await chat.until(lambda: chat.screen._presenter._facts.sample is None, "for silence")
        await find(chat, "ui.stream_fps", "from 1 to 120")
        await chat.press("enter", *"500", "enter")
        await chat.sees("This has to be a whole number from 1 to 120. Nothing was changed.")
        assert text(chats) == MINE
        await chat.press("ctrl+u", *"20", "enter")
        await chat.sees("ui.stream_fps = 20 · at once")
        assert "stream_fps = 20\n" in text(chats)
        assert chat.screen.transcript._flusher._period == 1 / 20
        await find(chat, "temperature", "in new chats")
        await chat.press("enter", "ctrl+u", *"0.3", "enter")
        await chat.sees("sampling.temperature = 0.3 · in new chats")
        assert text(chats).endswith("max_tokens = 8\ntemperature = 0.3\n")
        await find(chat, "strategy", "when the engine is started again")
        await chat.press("enter")
        await chat.sees("balanced  ← now")
        await chat.press("1")
        await chat.sees('models.strategy = "max-performance"')
        await chat.press("ctrl+d")
        await chat.sees('models.strategy is as by default: "balanced"')
        assert "strategy" not in text(chats)
        await chat.press("ctrl+d")
        await chat.sees("models.strategy has its default already")
        await chat.press("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
        await chat.until(lambda: text(chats) == MINE, "for the file as it was")
        await chat.press("ctrl+z")
        await chat.sees("nothing was changed here yet")
        await find(chat, "temperature", "0.7")
        await chat.press("enter", "ctrl+u", *"0.3", "enter")
        await chat.sees("sampling.temperature = 0.3 · in new chats")
        await chat.press("escape")
        await chat.press("ctrl+n")
        await chat.until(
            lambda: chat.conversation.session.sampling.temperature == 0.3, "for a new chat that goes by it"
        )


async def test_a_theme_is_chosen_from_those_there_are(chats: Chats) -> None:
    async with opened(chats, SMALL, "") as chat:
        await chat.until(lambda: "tui-chat-light" in chat.app.available_themes, "for all themes")
        await find(chat, "ui.theme", "Name of a theme")
        await chat.press("enter")
        await chat.sees("1-9 or enter choose")
        await chat.press("end", "up")
        theme = sorted(chat.app.available_themes)[-1]
        await chat.press("enter")
        await chat.until(lambda: chat.app.theme == theme, "for the theme")
        assert text(chats) == f'[ui]\ntheme = "{theme}"\n'
        await chat.press("ctrl+z")
        await chat.until(lambda: chat.app.theme == "tui-chat-dark", "for the theme that was")
        assert text(chats) == ""


async def test_a_file_that_cannot_be_changed_stays_and_it_is_said(chats: Chats) -> None:
    async with opened(chats, SMALL) as chat:
        await find(chat, "ui.instruments", "at once")
        theirs = MINE.replace("# mine", "# theirs")
        chats.home.config.write_text(theirs)
        await chat.press("enter")
        await chat.sees("was changed meanwhile", "Look at what it says now")
        assert text(chats) == theirs
        await chat.press("enter")
        await chat.sees("ui.instruments = true")
        assert text(chats) == theirs.replace("instruments = false", "instruments = true")
        chats.home.config.write_text("[ui\n")
        await chat.press("ctrl+z")
        await chat.sees("was changed meanwhile")
        await chat.press("enter")
        await chat.sees("line 1: the file cannot be", "tui-chat config edit")
        assert text(chats) == "[ui\n"
