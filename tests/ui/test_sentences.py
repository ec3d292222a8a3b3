"""What the screen says names the keys in force, and these do what it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.ui.support import LARGE, SMALL, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Message, Problem, ProblemCode, Role, Sampling, Session
from tui_chat.config.keys import KeySet, KeySettings
from tui_chat.config.settings import Settings, UiSettings
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.keymap import Keymap, keymap_of
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.switcher import SwitcherScreen
from tui_chat.ui.sentences import styled_keys, with_keys
from tui_chat.ui.telling import notice_item

BOUND = KeySettings(
    set=KeySet.EMACS,
    bind={
        "input.send": "alt+s",
        "answer.retry": "ctrl+x r",
        "sessions.undo": "alt+u",
        "session.fork": "ctrl+x k",
    },
)
ENDLESS = Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=2000)


def test_a_sentence_has_the_keys_that_its_commands_have_now() -> None:
    text = "not sent yet · {answer.retry} sends it · {session.new:new chat}"
    assert with_keys(text, Keymap()) == "not sent yet · F9 sends it · ctrl+n new chat"
    emacs = keymap_of(BOUND)
    assert with_keys(text, emacs) == "not sent yet · ctrl+x r sends it · ctrl+x n new chat"
    assert styled_keys(text, emacs).plain == with_keys(text, emacs)
    assert with_keys("{ braces } {}", emacs) == "{ braces } {}"


def test_a_sentence_says_how_to_find_what_has_no_key() -> None:
    keyless = {"answer.retry": "", "attachments": "", "model.starter": ""}
    keymap = keymap_of(KeySettings(bind=keyless))
    assert with_keys("{answer.retry} sends it", keymap) == "ctrl+p “Try the failed answer again” sends it"
    assert with_keys("{attachments:view}", keymap) == "ctrl+p “See, expand and remove what is attached”"
    assert with_keys("{model.starter:get it}", keymap) == "ctrl+p “Get the starter model”"
    keymap = keymap_of(KeySettings(bind={**keyless, "palette": ""}))
    assert with_keys("{model.starter:get it}", keymap) == "“Get the starter model” in the list of commands"


def test_what_others_have_written_stays_as_it_is() -> None:
    problem = Problem(ProblemCode.LOAD_FAILED, "{quit} failed.", remedy="See {models}.")
    item = notice_item("1", problem, Keymap())
    assert (item.text, item.hint) == ("{quit} failed.", "See {models}. · F2 another model")


def test_who_took_the_key_of_the_commands_is_told_of_no_key_that_does_nothing() -> None:
    taken = keymap_of(KeySettings(bind={"session.new": "ctrl+p"})).faults
    assert taken == ("palette has no key any more: session.new took ctrl+p",)
    taken = keymap_of(KeySettings(bind={"session.new": "f3", "palette": "alt+x"})).faults
    assert taken == ("sessions has no key any more: session.new took F3; alt+x still finds it",)


def _old(title: str) -> Session:
    now = datetime.now(UTC)
    asked = Message(new_id(), Role.USER, f"About {title}?", now)
    return Session(id=new_id(), title=title, created=now, updated=now, leaf=asked.id, messages=(asked,))


async def test_keys_of_ones_own_are_named_and_do_what_is_said(chats: Chats) -> None:
    settings = Settings(sampling=ENDLESS, ui=UiSettings(instruments=False), keys=BOUND)
    async with chats.open(LARGE, settings=settings) as chat:
        await chat.sees("Ask anything; alt+s sends", "Type a question; alt+s sends it", "alt+x commands")
        await chat.press(*"Tell a long story.", "alt+s")
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens > 3, "for tokens")
        await chat.sees("ctrl+g stop")
        await chat.press("ctrl+g")
        await chat.sees("You stopped this answer", "ctrl+x r try again")
        assert "F9" not in chat.text()
        await chat.press("ctrl+x", "r")
        await chat.sees(" 2 of 2 ")
        await chat.press("ctrl+g")
        await chat.answered()

        SessionStore(chats.home.paths.sessions).create(_old("lamps")).close()
        await chat.press("ctrl+x", "ctrl+f")
        await chat.sees("2 sessions", "lamps")
        await chat.press(*"lamps", "ctrl+x")
        await chat.sees("archived · alt+u brings it back")
        await chat.press("alt+u")
        await chat.sees("brought back")
        await chat.press("ctrl+d")
        await chat.sees("in the trash · alt+u brings it back, ctrl+b shows the trash")
        await chat.press(*["backspace"] * 5, *"story", "ctrl+x")
        await chat.sees("This session is on the screen; start another one (ctrl+x n) before archiving it.")
        await chat.press("escape", "f6")
        await chat.sees("Rename this session", "enter ok   ctrl+g leave it")
        await chat.press("ctrl+g")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")

        async with chats.open(LARGE, Opening(last=True), settings) as second:
            await second.sees("read-only here · ctrl+t take over · ctrl+x k fork")
            await second.press("ctrl+x", "k")
            await second.until(lambda: "read-only" not in second.text(), "for the fork")


async def test_what_is_on_the_screen_follows_another_set_of_keys(chats: Chats) -> None:
    async with chats.open(LARGE, Opening(name="nonesuch")) as chat:
        await chat.sees("sessions", "No session yet")
        await chat.press("escape")
        await chat.sees("No sessions are called 'nonesuch'.", "F3 lists all sessions", "ctrl+p commands")
        await chat.press("ctrl+o", "o", *"keys.set")
        await chat.sees("keys.set")
        await chat.press("enter")
        await chat.sees("default  ← now", "emacs")
        await chat.press("3")
        await chat.sees('keys.set = "emacs" · at once · ctrl+z takes it back')
        await chat.press("escape")
        await chat.sees("ctrl+x ctrl+f lists all sessions", "alt+x commands")
        await chat.press("ctrl+x", "ctrl+f")
        await chat.sees("No session yet")


@pytest.mark.parametrize("keys", KeySet)
async def test_the_key_that_quits_does_so_over_a_list(keys: KeySet, chats: Chats) -> None:
    async with chats.open(SMALL, settings=Settings(keys=KeySettings(set=keys))) as chat:
        await chat.press("f2")
        await chat.until(lambda: isinstance(chat.app.screen, SwitcherScreen), "for the list")
        await chat.press("ctrl+q")
        await chat.until(lambda: not chat.app.is_running, "for the end")
