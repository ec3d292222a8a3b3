"""Every command can be reached with the keyboard, by its name, and in the help, with each set of keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from datetime import UTC, datetime

import pytest

from tests.servers.ollama_stand_in import ollama_in_thread
from tests.servers.small_ollama import Model
from tests.ui.pressing import ALL, press_everything
from tests.ui.support import LARGE, SMALL, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.config.keys import KeySet, KeySettings
from tui_chat.config.settings import Settings, UiSettings
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.commands import COMMANDS, Place
from tui_chat.ui.keyboard.emacs import EMACS
from tui_chat.ui.keyboard.vim import VIM
from tui_chat.ui.keymap import clashes, keymap_of, unsendable
from tui_chat.ui.keynames import KeyNameError, read_keys, shown
from tui_chat.ui.opening import Opening

MODEL = "SmolLM2-135M-Instruct.Q4_1"
SITUATIONAL = {
    "answer.stop", "answer.retry", "queue.take_back", "session.fork", "session.take_over", "model.starter",
    "models.starter", "message.exactly", "message.pin", "tree.undo", "tree.redo",
}  # fmt: skip
"""Possible only while an answer streams, a message waits and so on; others test those."""


def test_ids_are_unique() -> None:
    assert max(Counter(c.id for c in COMMANDS).values()) == 1


@pytest.mark.parametrize("keys", KeySet)
def test_each_set_gives_every_command_a_key_of_its_own_that_every_terminal_sends(keys: KeySet) -> None:
    keymap = keymap_of(KeySettings(set=keys))
    assert keymap.faults == ()
    assert clashes(keymap) == []
    assert unsendable(keymap) == []


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("ctrl+G", "ctrl+g"),
        ("F5, f6", "f5,f6"),
        ("?", "question_mark"),
        ("G", "G"),
        ("shift+g", "G"),
        ("page up", "pageup"),
        ("alt+<", "alt+less_than_sign"),
        ("ctrl+x ctrl+f", "ctrl+x ctrl+f"),
        ("ctrl+/", "ctrl+slash,ctrl+underscore"),
        ("ctrl++", "ctrl+plus"),
        (",", "comma"),
        ("", ""),
    ],
)
def test_keys_are_written_as_people_do(written: str, keys: str) -> None:
    assert read_keys(written) == keys
    assert read_keys(shown(keys)) == read_keys(keys.split(",")[0])


@pytest.mark.parametrize(
    "written", ["ctrl+m", "ctrl+i", "ctrl+[", "ctrl+h", "alt+enter", "hyper+x", "f99", "wrong"]
)
def test_keys_that_cannot_be_are_refused(written: str) -> None:
    with pytest.raises(KeyNameError):
        read_keys(written)


def test_what_a_person_binds_comes_first_and_what_cannot_be_is_named() -> None:
    keymap = keymap_of(
        KeySettings(
            bind={
                "session.new": "ctrl+g",
                "read.next": "n, ctrl+x ctrl+b",
                "message.name": "N",
                "answer.copy": "",
                "sesion.new": "f5",
                "quit": "ctrl+m",
                "models": "x",
                "servers": "ctrl+g",
                "find": "ctrl+x",
            }
        )
    )
    assert keymap.keys["session.new"] == "ctrl+g"
    assert keymap.keys["answer.copy"] == ""
    assert clashes(keymap) == []
    faults = "\n".join(keymap.faults)
    assert "sesion.new = “f5”: there is no such command (did you mean session.new?)" in faults
    assert "terminals send the same for ctrl+m and enter" in faults
    assert "models = “x”: x is text there" in faults
    assert "ctrl+g was just given to session.new" in faults
    assert "find = “ctrl+x”: ctrl+x was just given to read.next" in faults
    assert "message.name has no key" not in faults
    taken = keymap_of(KeySettings(bind={"read.next": "n"})).faults
    assert [fault for fault in taken if "message.name has no key any more: read.next took n" in fault]


def _session() -> Session:
    """One question that was answered twice."""
    now = datetime.now(UTC)
    asked = Message(new_id(), Role.USER, "Which colours?", now)
    text = "Red.\n\n```python\nred = 1\n```\n\n```\nblue\n```\n"
    source = Answer(model=MODEL, finish=FinishReason.STOP)
    answers = [Message(new_id(), Role.ASSISTANT, text, now, asked.id, "Hm.", source) for _ in range(2)]
    return Session(
        id=new_id(),
        title="colours",
        created=now,
        updated=now,
        model=MODEL,
        leaf=answers[1].id,
        messages=(asked, *answers),
    )


WAYS = (
    ("x", Place.INPUT, "backspace"),
    ("shift+tab", Place.TRANSCRIPT, ""),
    ("m", Place.COMPARE, "escape"),
    ("v", Place.SELECTING, "escape"),
    ("k", Place.TRANSCRIPT, "tab"),
    ("slash", Place.OFFERED, "escape ctrl+u"),
    ("ctrl+underscore", Place.FINDING, "escape"),
    ("f12", Place.PANELS, "escape"),
    ("f2", Place.MODELS, "escape"),
    ("f3", Place.SESSIONS, ""),
    ("ctrl+b", Place.TRASH, "escape escape"),
    ("f4", Place.BRANCHES, ""),
    ("v", Place.BESIDE, "escape escape"),
    ("f5", Place.CONTEXT, "escape"),
    ("f6", Place.DIALOG, "escape"),
    ("f7", Place.RESIDENTS, "escape"),
    ("f10", Place.PRESETS, "escape"),
    ("f11", Place.SERVERS, "escape"),
    ("ctrl+r", Place.SEARCH, "escape"),
    ("ctrl+p", Place.PALETTE, "escape"),
    ("ctrl+o i", Place.STATISTICS, "escape"),
    ("ctrl+o s", Place.DIALOG, "escape"),
    ("ctrl+o d", Place.DIALOG, "escape"),
    ("ctrl+o o", Place.SETTINGS, "escape"),
    ("ctrl+o v", Place.ATTACHMENTS, "escape"),
    ("ctrl+o h", Place.HISTORY, "escape"),
    ("ctrl+o t", Place.THEMES, "escape"),
)
"""Keys into each place, and out of it again."""
USUAL = Settings(ui=UiSettings())
"""Panels and all."""


async def reached_by_keys(
    chats: Chats,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings = USUAL,
    ways: Sequence[tuple[str, Place, str]] = WAYS,
    keys: Container[str] = ALL,
) -> set[str]:
    """Go everywhere and press every key there, or those of `keys`; returns the ids that they led to."""
    SessionStore(chats.home.paths.sessions).create(_session()).close()
    reached: set[str] = set()
    async with chats.open(LARGE, Opening(name="colours"), settings) as chat:
        await chat.until(lambda: chat.screen.side_panel.shown, "for panels")
        for there, place, out in ways:
            await chat.press(*there.split())
            await chat.until(lambda place=place: chat.app.screen.places[0] is place, f"for {place}")
            await chat.pilot.pause()
            reached |= await press_everything(chat, monkeypatch, keys)
            await chat.press(*out.split())
            await chat.pilot.pause()
    return reached


VIM_WAYS = (
    ("x", Place.INPUT, "backspace"),
    ("shift+tab", Place.TRANSCRIPT, "tab"),
    ("f2", Place.MODELS, "escape"),
    ("f6", Place.DIALOG, "escape"),
)
"""Keys into those places where vim has others."""
EMACS_KEYS = {"ctrl+underscore": "ctrl+s", "ctrl+p": "alt+x", "f3": "ctrl+x ctrl+f"}
"""Of the ways into all places, those that emacs has instead."""


@pytest.mark.parametrize("keys", [KeySet.VIM, KeySet.EMACS])
async def test_each_key_of_another_set_does_what_it_says(
    keys: KeySet, chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    emacs = [(EMACS_KEYS.get(there, there), place, out) for there, place, out in WAYS]
    ways, ids = (VIM_WAYS, VIM) if keys is KeySet.VIM else (emacs, EMACS)
    reached = await reached_by_keys(chats, monkeypatch, Settings(keys=KeySettings(set=keys)), ways, ids)
    changed = {each.id for each in COMMANDS if each.id in ids and each.place is not Place.SERVED}
    assert changed - reached - SITUATIONAL == set()


@pytest.mark.timeout(600)  # a thousand keys, on a machine that may be slow
async def test_each_key_in_the_help_does_what_it_says_there(
    chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = await reached_by_keys(chats, monkeypatch)
    assert {c.id for c in COMMANDS if c.place is not Place.SERVED} - reached - SITUATIONAL == set()


async def test_hints_leave_out_what_has_no_key_any_more(chats: Chats) -> None:
    async with chats.open(SMALL, settings=Settings(keys=KeySettings(bind={"models": "f3"}))) as chat:
        await chat.sees("F3 models", "sessions has no key any more")
        assert "sessions" not in chat.text().splitlines()[-1]


@pytest.mark.parametrize("keys", [KeySet.DEFAULT, KeySet.EMACS])
async def test_each_key_among_a_servers_models_does_what_it_says(
    keys: KeySet, chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ollama_in_thread(Model("tiny:1b")) as ollama:
        chats.home.configure(f'[servers.ollama]\nurl = "{ollama.url}"\nkind = "ollama"\n')
        async with chats.open(SMALL, settings=Settings(keys=KeySettings(set=keys))) as chat:
            await chat.press("f11")
            await chat.sees("ollama", "1 model")
            await chat.press("enter")
            await chat.sees("tiny:1b")
            reached = await press_everything(chat, monkeypatch)
    assert {command.id for command in COMMANDS if command.place is Place.SERVED} <= reached
