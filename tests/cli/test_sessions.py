"""`tui-chat sessions` as a person uses it: every verb, what it says, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.chat.test_export import session
from tests.homes import Home
from tests.store.support import make_session
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Timings, Usage
from tui_chat.store.sessions import SessionStore


@pytest.fixture
def store(empty_home: Home) -> SessionStore:
    """Two chats: one of tea with two branches, one of lamps."""
    store = SessionStore(empty_home.paths.sessions)
    tea = session("How long?", "Two \x1b[31mminutes.", "And black tea?", "Four.", tags=("kitchen",))
    timings = Timings(ttft_ms=250.0, decode_ms=2000.0, decode_tps=60.0)
    other = Answer("llama", finish=FinishReason.STOP, usage=Usage(40, 20, 30), timings=timings)
    branch = Message("m9", Role.ASSISTANT, "Three.", tea.created, "m0", answer=other)
    store.create(msgspec.structs.replace(tea, id="tea", messages=(*tea.messages, branch))).close()
    lamps = session("Which oil for the lamp?", "Lamp oil.")
    store.create(msgspec.structs.replace(lamps, id="lamps", title="Lamps \x1b[2J", leaf="m1")).close()
    return store


def said(home: Home, *arguments: str, **options: object) -> str:
    """What a command prints that succeeds."""
    done = home.run("sessions", *arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    return done.stdout


def refused(home: Home, *arguments: str) -> str:
    """What a command says that fails: one line."""
    done = home.run("sessions", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("tui-chat: ").strip()


def test_chats_are_listed(store: SessionStore, empty_home: Home) -> None:
    heads, *rows = said(empty_home, "list").splitlines()
    assert heads.split() == ["UPDATED", "MESSAGES", "TITLE", "TAGS", "ID"]
    assert [row.split()[-1] for row in rows] == ["tea", "lamps"]
    assert "  5  Tea" in rows[0]
    tagged = json.loads(said(empty_home, "list", "--tag", "KITCHEN", "--json"))
    assert [(each["id"], each["messages"], each["tags"]) for each in tagged] == [("tea", 5, ["kitchen"])]
    assert "There are no such chats" in said(empty_home, "list", "--archived")


def test_messages_are_found(store: SessionStore, empty_home: Home) -> None:
    found = said(empty_home, "search", "lamp oil")
    assert found.startswith("Lamps [2J (lamps, assistant, ")
    assert "\n  *Lamp oil*.\n" in found
    assert "Which" not in found, "words in one argument belong together"
    assert "*Which* *oil* for the *lamp*?" in said(empty_home, "search", "lamp", "oil", "which")
    (hit,) = json.loads(said(empty_home, "search", "tag:kitchen", "three", "--json"))
    assert (hit["session"], hit["message"], hit["spans"]) == ("tea", "m9", [[0, 5]])
    nothing = empty_home.run("sessions", "search", "jabberwocky")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "nothing was found" in nothing.stderr
    assert len(list((empty_home.paths.cache / "search").glob("*.sqlite3"))) == 1


def test_a_chat_is_shown_and_exported(store: SessionStore, empty_home: Home, tmp_path: Path) -> None:
    shown = said(empty_home, "show", "tea")
    assert shown.startswith("# Tea\n")
    assert "Three." not in shown
    assert "Three." in said(empty_home, "show", "tea", "--tree")
    page = tmp_path / "tea.html"
    assert said(empty_home, "export", "Tea", "--tree", "-o", str(page)) == f"Wrote {page}.\n"
    assert "Three." in page.read_text()
    assert "exists already" in refused(empty_home, "export", "tea", "-o", str(page))
    said(empty_home, "export", "tea", "-o", str(page), "--force", "--format", "md")
    assert page.read_text() == shown
    assert "format" in refused(empty_home, "export", "tea", "-o", str(tmp_path / "tea.pdf"))
    missing = tmp_path / "nowhere" / "tea.md"
    assert "Writing the file failed" in refused(empty_home, "export", "tea", "-o", str(missing))
    with store.open("tea") as opened:
        assert opened.writable, "looking takes no lock"
        assert said(empty_home, "show", "tea") == shown


def test_what_is_exported_can_be_imported(store: SessionStore, empty_home: Home, tmp_path: Path) -> None:
    exported = empty_home.run("sessions", "export", "tea", "--format", "json", "--tree").stdout
    (taken,) = json.loads(said(empty_home, "import", "-", "--json", input=exported))
    assert taken["title"] == "Tea"
    assert taken["messages"] == 5
    assert taken["id"] not in ("tea", "lamps")
    assert len(store.read(taken["id"]).messages) == 5
    assert "2 chats in " in refused(empty_home, "show", "te")
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]')
    bad.write_text('[{"role": "user", "content": 7}]')
    problem = refused(empty_home, "import", str(good), str(bad))
    assert problem.startswith(f"{bad} cannot be imported: at [0].content: expected a text or a list of parts")
    assert "Nothing was imported" in problem
    assert "cannot be read" in refused(empty_home, "import", str(tmp_path / "nowhere"))
    assert len(store.list()) == 3
    assert said(empty_home, "import", str(good)).endswith("  2 messages  Hi\n")


def test_what_a_chat_has_cost(store: SessionStore, empty_home: Home) -> None:
    told = said(empty_home, "stats", "tea")
    assert "5 messages, 2 questions, 3 answers, 2 branches" in told
    assert "read 10 tokens, reused 30, wrote 20" in told
    assert any(
        line.split() == ["llama", "1", "1", "20", "60", "tok/s", "250", "ms"] for line in told.splitlines()
    )
    assert json.loads(said(empty_home, "stats", "tea", "--json"))["tokens_reused"] == 30


def test_chats_are_tagged_and_archived(store: SessionStore, empty_home: Home) -> None:
    assert said(empty_home, "tag", "tea") == "Tea: kitchen\n"
    assert (
        said(empty_home, "tag", "tea", "#green", "Kitchen", "long walks")
        == "Tea: kitchen, green, long walks\n"
    )
    after = said(empty_home, "tag", "tea", "--remove", "KITCHEN", "--remove", "green", "--json")
    assert json.loads(after) == {"id": "tea", "tags": ["long walks"]}
    assert "unarchive lamps" in said(empty_home, "archive", "lamps")
    assert [each.id for each in store.list()] == ["tea"]
    assert "lamps" in said(empty_home, "list", "--archived")
    assert "back in the list" in said(empty_home, "unarchive", "lamps")
    assert "in the archive" in refused(empty_home, "unarchive", "tea")
    with store.open("tea"):
        assert "open for writing in another place" in refused(empty_home, "archive", "tea")


def test_chats_are_deleted_and_come_back(store: SessionStore, empty_home: Home) -> None:
    assert said(empty_home, "trash") == "The trash is empty.\n"
    told = said(empty_home, "delete", "tea", "lamps")
    assert "Tea is in the trash until " in told
    assert "tui-chat sessions restore tea" in told
    assert store.list() == []
    heads, *rows = said(empty_home, "trash").splitlines()
    assert heads.split() == ["DELETED", "GOES", "TITLE", "ID"]
    assert {row.split()[-1] for row in rows} == {"tea", "lamps"}
    assert all(each["goes"] for each in json.loads(said(empty_home, "trash", "--json")))
    assert said(empty_home, "restore", "tea") == "Tea is back, as tea.\n"
    assert "No chat in the trash is called “tea”" in refused(empty_home, "restore", "tea")
    assert "add --yes" in empty_home.run("sessions", "purge", "lamps").stderr
    assert said(empty_home, "purge", "lamps", "--yes").endswith("is gone for good.\n")
    assert "No chat in the trash is called “lamps”" in refused(empty_home, "purge", "lamps")
    assert "No chat in the trash is called “tea”" in refused(empty_home, "purge", "tea")
    said(empty_home, "delete", "tea")
    empty_home.configure("[sessions]\ntrash_days = 0")
    assert "never by itself" in said(empty_home, "trash")


def test_another_folder_and_names_that_mean_nothing(empty_home: Home, tmp_path: Path) -> None:
    SessionStore(tmp_path).create(make_session()).close()
    assert "A talk" in said(empty_home, "list", "--sessions", str(tmp_path))
    assert "*wörds*" in said(empty_home, "search", "--sessions", str(tmp_path), "WÖRDS")
    for verb in ("show", "stats", "archive", "delete", "tag"):
        problem = refused(empty_home, verb, "../talk", "--sessions", str(tmp_path))
        assert problem.startswith(f"No chat in {tmp_path} is called “../talk”.")
        assert problem.endswith("tui-chat sessions list --all.")
