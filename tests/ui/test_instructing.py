"""What the model is told beforehand: presets, a system prompt, how answers are drawn; and going back."""

from __future__ import annotations

from pathlib import Path

from tests.homes import Home, sessions_of
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, Chat, Chats
from tui_chat.chat.model import Sampling
from tui_chat.chat.policy import PolicyKind
from tui_chat.chat.setups import setup_of
from tui_chat.config.presets import Preset, SamplingPart, read_preset
from tui_chat.config.settings import ChatSettings, Settings
from tui_chat.store.presets import keep_preset
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.drawing import DrawingScreen
from tui_chat.ui.screens.editor import EditorScreen
from tui_chat.ui.screens.presets import PresetsScreen

PIRATE = """name = "pirate"
about = "Talks like one"
system = "You are a pirate. Say arr."
model = "smollm2"
[sampling]
temperature = 0
max_tokens = 6
[policy]
kind = "sliding"
"""


def own(home: Home) -> Path:
    folder = home.config.parent / "presets"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def told(chat: Chat) -> str:
    return setup_of(chat.conversation.tree).system


async def use(chat: Chat, name: str) -> None:
    """Choose a preset by typing its name."""
    await chat.press("f10")
    await chat.sees("built-in", "ctrl+e edit")
    await chat.press(*name, "enter")
    await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")


@SIZES
async def test_the_list_shows_each_with_its_prompt_and_what_is_wrong(
    chats: Chats, size: tuple[int, int]
) -> None:
    (own(chats.home) / "pirate.toml").write_text(PIRATE)
    (own(chats.home) / "torn.toml").write_text("about = \n")
    async with chats.open(size) as chat:
        await chat.press("f10")
        await chat.sees("● no preset", "coder", "built-in", "Talks like one", "yours", "torn.toml cannot be")
        await chat.press("f10")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")
        (own(chats.home) / "torn.toml").unlink()
        await chat.press("f10")
        await chat.sees("Talks like one", "writer")
        await chat.press("down")
        await chat.sees("You are a pirate. Say arr.", "answered by smollm2", "the oldest turns are dropped")
        await check(named("presets", size), chat)
        await chat.press("f10")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")
        assert told(chat) == ""


async def test_a_preset_holds_from_where_it_is_chosen_and_can_be_undone(chats: Chats) -> None:
    (own(chats.home) / "pirate.toml").write_text(PIRATE)
    async with chats.open(LARGE) as chat:
        await chat.say("Hello.")
        await chat.answered()
        await use(chat, "pirate")
        await chat.sees("from here on: pirate", " pirate ")
        assert told(chat) == "You are a pirate. Say arr."
        assert chat.conversation.session.policy.kind is PolicyKind.SLIDING
        assert chat.conversation.session.system == "", "what was said before was told nothing"
        await chat.say("Hello again.")
        await chat.answered()
        last = chat.conversation.tree.path()[-1]
        assert last.answer.sampling.max_tokens == 6
        before = chat.conversation.tree.path()[1]
        assert last.answer.usage.prompt_tokens > before.answer.usage.prompt_tokens + 8
        assert sessions_of(chats.home)[0] == chat.conversation.session

        await chat.press("shift+tab", "u")
        await chat.until(lambda: len(chat.conversation.tree.path()) == 3, "for the message to go")
        await chat.press("u")
        await chat.sees("undone: the other instructions")
        assert told(chat) == ""
        assert chat.conversation.session.policy.kind is PolicyKind.FULL
        assert "from here on" not in chat.text()
        await chat.press("ctrl+y")
        await chat.sees("from here on: pirate")
        assert told(chat) == "You are a pirate. Say arr."


async def test_each_branch_has_its_own_preset_in_the_title(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await chat.say("Hello.")
        await chat.answered()
        answer = chat.conversation.tree.path()[-1].id
        await use(chat, "coder")
        await chat.say("And?")
        await chat.answered()
        title = lambda: chat.text().splitlines()[0]  # noqa: E731
        assert " coder " in title()
        await chat.press("shift+tab", "k", "k", "r")
        await chat.answered()
        await chat.until(lambda: "coder" not in title(), "for the other branch")
        await chat.screen.go_to(answer)
        await chat.until(lambda: " coder " in title(), "for the branch of the preset")


async def test_new_chats_begin_with_the_preset_of_the_settings_and_need_no_name_for_it(chats: Chats) -> None:
    settings = Settings(sampling=chats.sampling, chat=ChatSettings("coder"))
    async with chats.open(LARGE, settings=settings) as chat:
        assert "experienced programmer" in told(chat)
        assert chat.conversation.session.sampling.max_tokens == 8, "what it does not say is as usual"
        assert "coder" not in chat.text().splitlines()[0]
        await use(chat, "no preset")
        await chat.sees("no preset")
        assert told(chat) == ""
        await chat.press("ctrl+n")
        await chat.until(lambda: "experienced programmer" in told(chat), "for the next chat")
    async with chats.open(LARGE, Opening(preset="TEACHER"), settings) as chat:
        assert "patient teacher" in told(chat)
    async with chats.open(LARGE, Opening(preset="no such")) as chat:
        await chat.sees("There is no preset called 'no such'", "analyst, assistant, coder")


async def test_a_session_that_is_opened_is_told_a_preset_from_there_on(chats: Chats) -> None:
    async with chats.open() as chat:
        await chat.say("Hello.")
        await chat.answered()
    async with chats.open(opening=Opening(last=True, preset="writer")) as chat:
        await chat.sees("Hello.", "from here on: writer")


async def test_a_model_that_is_not_there_leaves_the_chat_its_own(chats: Chats) -> None:
    keep_preset(own(chats.home), Preset(name="big", system="Hm.", model="no-such-72B"))
    async with chats.open(LARGE) as chat:
        model = chat.conversation.session.model
        await use(chat, "big")
        await chat.sees("The preset big: There is no model called “no-such-72B”", "The chat keeps the model")
        assert (chat.conversation.session.model, told(chat)) == (model, "Hm.")


async def test_a_prompt_is_edited_and_kept_among_ones_own_and_nothing_is_replaced_unasked(
    chats: Chats,
) -> None:
    async with chats.open(LARGE) as chat:
        await chat.press("f10")
        await chat.sees("coder")
        await chat.press(*"coder", "ctrl+e")
        await chat.until(lambda: isinstance(chat.app.screen, EditorScreen), "for the editor")
        await chat.press("enter", *"Use Rust.", "ctrl+s")
        await chat.sees("Keep it among your own presets")
        await chat.press("enter")
        await chat.sees("kept in ", "enter uses it", "in place of the built-in one")
        (file,) = own(chats.home).glob("*.toml")
        first = read_preset(file)
        assert first.system.endswith("Use Rust.\n")
        assert first.sampling == SamplingPart(temperature=0.2, top_p=0.9)

        await chat.press("ctrl+d")
        await chat.sees("Keep it among your own presets")
        await chat.press("enter")
        await chat.sees("“coder” is a preset of yours already", "Replace it")
        await chat.press("2")
        await chat.until(lambda: isinstance(chat.app.screen, PresetsScreen), "for the list")
        await chat.press("ctrl+d")
        await chat.sees("Keep it among your own presets")
        await chat.press(*"-2", "enter")
        await chat.until(lambda: len(list(own(chats.home).glob("*.toml"))) == 2, "for the copy")
        assert read_preset(file) == first

        await chat.press("ctrl+e")
        await chat.until(lambda: isinstance(chat.app.screen, EditorScreen), "for the editor")
        await chat.press("enter", *"Or C.", "ctrl+s")
        await chat.sees("Keep it among")
        await chat.press("escape")
        await chat.until(lambda: isinstance(chat.app.screen, EditorScreen), "for the editor again")
        assert "Or C." in chat.text(), "what was written is not lost"
        await chat.press("ctrl+s", "enter")
        await chat.sees("Replace it")
        await chat.press("1")
        await chat.until(lambda: read_preset(file).system.endswith("Or C.\n"), "for the new prompt")
        await chat.sees("kept in")


async def test_a_folder_that_cannot_be_written_is_said(chats: Chats) -> None:
    (chats.home.config.parent / "presets").write_text("not a folder")
    async with chats.open(LARGE) as chat:
        await chat.press("f10")
        await chat.sees("coder")
        await chat.press(*"coder", "ctrl+d")
        await chat.sees("Keep it among")
        await chat.press("enter")
        await chat.sees("Saving the preset failed", "Nothing that")


async def test_the_system_prompt_of_a_chat_is_edited_and_undone(chats: Chats) -> None:
    async with chats.open() as chat:
        await chat.press("ctrl+p")
        await chat.press(*"edit the system")
        await chat.sees("Edit the system prompt of this chat")
        await chat.press("enter")
        await chat.until(lambda: isinstance(chat.app.screen, EditorScreen), "for the editor")
        await chat.press(*"Say moo.", "ctrl+s")
        await chat.until(lambda: told(chat) == "Say moo.", "for the prompt")
        await chat.say("Hello.")
        await chat.answered()
        chat.screen.action_edit_system()
        await chat.sees("Say moo.", "ctrl+s save")
        await chat.press(*" Twice.", "ctrl+s")
        await chat.sees("from here on: “Say moo. Twice.”")
        assert told(chat) == "Say moo. Twice."
        await chat.press("shift+tab", "u")
        await chat.until(lambda: told(chat) == "Say moo.", "for the prompt before")


@SIZES
async def test_how_answers_are_drawn_is_checked_and_holds_from_here_on(
    chats: Chats, size: tuple[int, int]
) -> None:
    async with chats.open(size) as chat:
        await chat.say("Hello.")
        await chat.answered()
        await chat.press("f5")
        await chat.sees("drawing")
        await chat.press("d")
        await chat.sees("How answers are drawn from here on", "temperature", "limit", "esc leave it")
        await chat.press("ctrl+u", *"hot", "enter")
        await chat.sees("temperature: “hot” is no number. Nothing was changed.")
        await check(named("drawing", size), chat, chat.conversation.tree.path()[-1].text)
        await chat.press("ctrl+u", *"9", "enter")
        await chat.sees("temperature: 9 is not from 0 to 5.")
        await chat.press("ctrl+u", *"0.5", "down", "ctrl+u", *"2.5", "enter")
        await chat.sees("top-k: “2.5” is no whole number")
        await chat.press("ctrl+u", "up", "up", "ctrl+u", *"3", "up", "ctrl+u", *"11", "enter")
        await chat.until(lambda: not isinstance(chat.app.screen, DrawingScreen), "for the dialog to go")
        await chat.press("escape")
        await chat.sees("from here on: temperature 0.5, seed 11, limit 3")
        await chat.say("And?")
        await chat.answered()
        drawn = chat.conversation.tree.path()[-1].answer
        assert (drawn.sampling.temperature, drawn.seed, drawn.usage.completion_tokens) == (0.5, 11, 3)
        assert drawn.sampling.top_k == Sampling().top_k, "what is left empty is as usual"
        chat.screen.action_drawing()
        await chat.sees("How answers are drawn")
        await chat.press("ctrl+r", "enter")
        await chat.sees("from here on: temperature 0, no seed, limit 8")
