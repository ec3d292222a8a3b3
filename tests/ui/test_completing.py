"""What is offered while one types, and what a line that begins with a slash does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual import events

from tests.homes import sessions_of
from tests.ui.snapshot import check
from tests.ui.support import SMALL, Chat, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Message, Role, Sampling, Session
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.command import Place
from tui_chat.ui.commands import COMMANDS
from tui_chat.ui.completing.asked import asked_by
from tui_chat.ui.completing.files import files_for
from tui_chat.ui.completing.slash import SLASH


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with files of many kinds."""
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "readme").write_text("no")
    (tmp_path / "README.md").write_text("# Tea\r\nsteep\n")
    (tmp_path / "src" / "deep" / "reader.py").write_text("x = 1\n")
    (tmp_path / "src" / ".env").write_text("KEY=1\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    (tmp_path / ".photo.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "blob.bin").write_bytes(b"ab\0c")
    (tmp_path / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    (tmp_path / "wide.txt").write_bytes("tea".encode("utf-16"))
    (tmp_path / "large.log").write_bytes(b"x\n" * 600_000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def burst(chat: Chat, *keys: str) -> None:
    """Have keys arrive all at once."""
    for key in keys:
        chat.app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize(
    ("before", "first", "word"),
    [("/", True, ""), ("/mo", True, "mo"), ("/mo", False, None), ("a /mo", True, None), ("/a b", True, None),
     ("@", True, ""), ("see @src/x", False, "src/x"), ("me@home", True, None), ("@a b", True, None)],
)  # fmt: skip
def test_only_the_beginning_of_a_word_asks(before: str, first: bool, word: str | None) -> None:
    asked = asked_by(before, first_line=first)
    assert (asked.word if asked else None) == word


def test_files_are_found_by_a_few_letters_and_hidden_ones_by_their_dot(folder: Path) -> None:
    here = str(folder)
    assert files_for("read", here) == ["README.md", "src/deep/reader.py"]
    assert files_for("src/", here) == ["src/deep/"]
    assert files_for("src/.e", here) == ["src/.env"]
    assert f"{folder}/README.md" in files_for(f"{folder}/REA", "/")
    assert files_for("zzz", here) == []
    assert all(".git" not in name for name in files_for("", here))


def test_words_stand_for_commands_that_there_are() -> None:
    assert set(SLASH.values()) <= {command.id for command in COMMANDS}


async def test_a_file_is_offered_attached_and_undone_in_one_burst(chats: Chats, folder: Path) -> None:
    async with chats.open(SMALL) as chat:
        burst(chat, *"See @deepread", "tab", *"now")
        await chat.until(lambda: chat.prompt.text == "See src/deep/reader.py now", "for the file to be taken")
        (attached,) = chat.prompt.attachments
        assert (attached.name, attached.text, attached.bytes) == ("src/deep/reader.py", "x = 1\n", 6)
        await chat.sees("src/deep/reader.py · 6 B · ")
        await chat.press("ctrl+z", "ctrl+z")  # what was typed since, and the file
        await chat.until(lambda: chat.prompt.text == "See @deepread", "for all to be as it was")
        assert chat.prompt.attachments == ()
        await chat.press("ctrl+u", "@")
        await chat.sees("README.md", "src/deep/", "photo.png")
        assert chat.screen.places[0] is Place.OFFERED
        await check("offered-files-80x24", chat)
        await chat.press("escape")
        await chat.until(lambda: "photo.png" not in chat.text(), "for the list to close")
        assert chat.prompt.text == "@"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (".photo.heic", ".photo.heic is no PNG, JPEG, GIF, WebP or BMP picture"),
        ("blob.bin", "blob.bin is no text but binary"),
        ("latin.txt", "no UTF-8 text (at byte 3)"),
        ("large.log", "large.log has 1,200,000 bytes"),
        ("src", "src is a folder"),
        ("none", "none cannot be read: No such file"),
    ],
)
async def test_what_cannot_be_attached_is_refused_with_the_reason(
    name: str, said: str, chats: Chats, folder: Path
) -> None:
    async with chats.open(SMALL) as chat:
        burst(chat, *f"/attach {name}", "enter")
        await chat.sees(said)
        assert chat.prompt.attachments == ()


async def test_a_file_is_attached_by_name_and_by_a_question(chats: Chats, folder: Path) -> None:
    async with chats.open(SMALL) as chat:
        burst(chat, *"/attach wide.txt", "enter")
        await chat.sees("wide.txt · 8 B")
        await chat.press("ctrl+o", "a")
        await chat.sees("Attach which file?")
        await chat.press(*"blob.bin", "enter")
        await chat.sees("is no text but binary")
        await chat.press(*["backspace"] * 8, *"README.md", "enter")
        await chat.sees("2 attached")
        assert [each.text for each in chat.prompt.attachments] == ["tea", "# Tea\nsteep\n"]


async def test_slash_words_run_commands_and_unknown_ones_are_asked_about(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await chat.press("slash")
        await chat.sees("/model", "Choose a model", "F2", "tab complete")
        await check("offered-commands-80x24", chat)
        await chat.press(*"hel", "tab")
        await chat.until(lambda: chat.prompt.text == "/help", "for the word")
        await chat.press("enter")
        await chat.until(lambda: chat.app.screen is not chat.screen, "for the help")
        assert chat.prompt.text == ""
        await chat.press("escape")
        burst(chat, *"/mod", "enter")
        await chat.until(lambda: chat.app.screen is not chat.screen, "for the models")
        await chat.press("escape")
        burst(chat, *"/frobnicate it", "enter")
        await chat.sees("there is no /frobnicate", "/frobnicate it")
        assert not chat.conversation.session.messages
        await chat.press("enter")
        await chat.until(lambda: chat.conversation.session.messages, "for it to be sent")
        await chat.answered()
        burst(chat, *"//help", "enter")
        await chat.until(lambda: len(chat.conversation.session.messages) == 4, "for it to be sent")
        await chat.answered()
        burst(chat, *"/undo", "enter")
        await chat.sees("undone: the message")
        assert [m.text for m in sessions_of(chats.home)[0].messages if not m.answer][:2] == [
            "/frobnicate it",
            "/help",
        ]


async def test_words_take_what_stands_after_them(chats: Chats) -> None:
    kept = SessionStore(chats.home.paths.sessions)
    now, made = datetime.now(UTC), [new_id(), new_id()]
    for title, name in zip(("Two rivers", "Two rivers in June"), made, strict=True):
        asked = Message(new_id(), Role.USER, "Which?", now)
        kept.create(Session(id=name, title=title, created=now, updated=now, messages=(asked,))).close()
    async with chats.open(SMALL) as chat:
        burst(chat, *"/theme nord", "enter")
        await chat.sees("nord from now on")
        burst(chat, *"/preset CODER", "enter")
        await chat.sees("from here on: coder")
        burst(chat, *"/sess", "tab", *"river", "enter")
        await chat.sees("2 sessions", "› river", "Two rivers in June")
        await chat.press("escape")
        burst(chat, *"/session two rivers", "enter")
        await chat.until(lambda: chat.conversation.session.id == made[0], "for the session called so")
        burst(chat, *"/rename Three rivers", "enter")
        await chat.sees("Three rivers")
        burst(chat, *"/search keeper", "enter")
        await chat.sees("find in all sessions", "› keeper")
        await chat.press("escape")
        for unknown in ("/model gemma", "/preset zzz", "/theme nrod", "/session paris", "/settings zzz"):
            burst(chat, *unknown, "enter")
            await chat.sees(f"nothing is called {unknown.split()[1]}")
            assert (chat.app.screen, chat.prompt.text) == (chat.screen, unknown)
            await chat.press("ctrl+u")
        await chat.press("slash", *"settings", "space", *"zzz", "enter")
        await chat.until(lambda: chat.prompt.text == "/settings zzz", "to be told again, and not sent")
        await chat.press("ctrl+u")
        burst(chat, *"/help keys", "enter")
        await chat.sees("/help takes nothing after it", "/help keys")
        await chat.press("ctrl+u", "f1")
        await chat.sees("Write it in your own editor  /editor")


async def test_escape_closes_the_list_and_not_the_answer(chats: Chats) -> None:
    chats.sampling = Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=2000)
    async with chats.open(SMALL) as chat:
        await chat.say("Write a long story about a lighthouse keeper.")
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens > 3, "for tokens")
        await chat.press("slash")
        await chat.sees("Choose a model")
        await chat.press("escape")
        await chat.until(lambda: "Choose a model" not in chat.text(), "for the list to close")
        assert chat.conversation.live
        assert chat.prompt.text == "/"
        await chat.press("escape")
        await chat.answered()
