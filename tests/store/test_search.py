"""Whatever was said in any branch of any session is found: with an index, without one, by many at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.store.support import START, make_session
from tests.strategies import sessions
from tui_chat.chat.attachments import Attachment
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.store.search.index import SearchIndex
from tui_chat.store.sessions import SessionStore


@pytest.fixture
def index(store: SessionStore, tmp_path: Path) -> SearchIndex:
    return SearchIndex(store.folder, tmp_path / "cache")


def talk(id: str, *texts: str, hour: int = 0, **fields: object) -> Session:
    """A chat in which these were said in turn, each below the one before."""
    made: list[Message] = []
    for number, text in enumerate(texts):
        asks = number % 2 == 0
        made.append(
            Message(
                f"m{number}",
                Role.USER if asks else Role.ASSISTANT,
                text,
                START + timedelta(hours=hour, seconds=number),
                made[-1].id if made else None,
                answer=None if asks else Answer("qwen3:8b", finish=FinishReason.STOP),
            )
        )
    return Session(
        id=id,
        created=START,
        updated=START + timedelta(hours=hour),
        messages=tuple(made),
        **fields,  # type: ignore[arg-type]
    )


def keep(store: SessionStore, *kept: Session) -> None:
    for session in kept:
        store.create(session).close()


def places(index: SearchIndex, question: str) -> list[tuple[str, str | None]]:
    return [(hit.session, hit.message) for hit in index.find(question)]


def test_messages_are_found_newest_first_with_the_words_around_them(
    store: SessionStore, index: SearchIndex
) -> None:
    long = "Once there was a keeper. " * 20 + "The STORM\nlamp went out. " + "Nobody saw it. " * 20
    keep(
        store,
        talk("old", "storm lamp?", hour=1),
        talk("new", "What then?", long, title="A night", hour=2),
        talk("none", "A calm sea.", hour=3),
    )
    new, old = index.find("storm lamp")
    assert (new.session, new.message, new.title, new.role) == ("new", "m1", "A night", Role.ASSISTANT)
    assert new.when == START + timedelta(hours=2, seconds=1)
    assert [new.snippet[start:end] for start, end in new.spans] == ["STORM", "lamp"]
    assert new.snippet.startswith("…")
    assert new.snippet.endswith("…")
    assert "\n" not in new.snippet
    assert (old.session, old.snippet, old.spans) == ("old", "storm lamp?", ((0, 5), (6, 10)))
    assert index.find("storm lamp", limit=1) == (new,)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("lighthouse", ["m0", "m2"]),
        ("HTHOU", ["m0", "m2"]),
        ("lighthouse keeper", ["m2"]),
        ('"the keeper"', ["m2"]),
        ('"keeper the"', []),
        ("li", ["m0", "m2"]),
        ("東京", ["m4"]),
        ("京", ["m4"]),
        ("東京タワー", ["m4"]),
        ("école", ["m6"]),
        ("ÉC", ["m6"]),
        ("über", ["m6"]),
        ("100%", ["m7"]),
        ("a_b", ["m7"]),
        ("axb", []),
        ('c:\\temp "x', ["m7"]),
        ("🍵", ["m7"]),
        ("keeper?", []),
    ],
)
def test_words_parts_of_words_and_phrases_in_any_script(
    question: str, found: list[str], store: SessionStore, index: SearchIndex
) -> None:
    keep(
        store,
        talk(
            "talk",
            "A lighthouse.",
            "Yes.",
            "In the lighthouse the keeper sat",
            "No.",
            "東京タワーはどこ",
            "-",
            "L'École Über allem",
            "100% of a_b in c:\\temp, x 🍵",
        ),
    )
    assert sorted(message or "" for _, message in places(index, question)) == found


@pytest.mark.parametrize(
    "question",
    ["", "   ", '"', '""', "NEAR(", "a AND", "*", "^", "tag:", "in:", 'tag:"', "-", "OR OR", "🦀" * 3,
     "\x00a", "\ud83c", "x" * 10_000, "ab " * 4_000, "'; DROP TABLE sessions; --", "{a b}:c", "(((((", "%",
     "_", "\\"],
)  # fmt: skip
def test_odd_questions_find_nothing_and_never_fail(
    question: str, store: SessionStore, index: SearchIndex
) -> None:
    keep(store, talk("talk", "hello"))
    assert index.find(question) == ()


@settings(max_examples=50)
@given(question=st.text(max_size=40))
@example(question="\x000")
def test_any_question_is_answered(question: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SessionStore(Path(folder) / "sessions")
        keep(store, talk("talk", f"so {question} it is"))
        index = SearchIndex(store.folder, Path(folder) / "cache")
        assert index.find(question) == without_index(store, Path(folder)).find(question)


def without_index(store: SessionStore, folder: Path) -> SearchIndex:
    """A search that cannot keep an index, because there is a file where its folder would be."""
    cache = folder / "no-cache"
    cache.mkdir(exist_ok=True)
    (cache / "search").touch()
    return SearchIndex(store.folder, cache)


@settings(max_examples=30)
@given(st.data(), st.lists(sessions(), min_size=1, max_size=3))
def test_the_index_finds_what_reading_finds_after_any_change(
    data: st.DataObject, versions: list[Session]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SessionStore(Path(folder) / "sessions")
        index = SearchIndex(store.folder, Path(folder) / "cache")
        keep(store, talk("other", "a name", "0", title="Other"))
        keep(store, msgspec.structs.replace(versions[0], messages=(), leaf=None))
        for version in versions:
            with store.open("talk") as opened:
                opened.save(version)
            said = " ".join(message.text for message in version.messages)
            words = data.draw(st.lists(st.sampled_from([*said.split(), *said, "model:qwen", "tag:茶", "0"])))
            question = " ".join(words)
            assert index.find(question, 1000) == without_index(store, Path(folder)).find(question, 1000)


def test_titles_and_tags_count(store: SessionStore, index: SearchIndex) -> None:
    keep(
        store,
        talk("tea", "How long?", "Two minutes", title="Green tea", tags=("kitchen", "slow food"), hour=1),
        talk("code", "Green threads?", "Two minutes of tea", title="Python", hour=2),
    )
    assert places(index, "green tea") == [("tea", None)]
    assert places(index, "tea minutes") == [("code", "m1"), ("tea", "m1")]
    assert places(index, "kitchen long") == [("tea", "m0")]
    assert places(index, "tag:KITCHEN minutes") == [("tea", "m1")]
    assert places(index, 'tag:"slow food"') == [("tea", None)]
    assert places(index, "tag:kitch") == []
    assert places(index, "model:qwen minutes") == [("code", "m1"), ("tea", "m1")]
    assert places(index, "model:QWEN3 green") == [("tea", "m1")]
    assert places(index, "model:llama minutes") == []
    (hit,) = index.find("green tea")
    assert (hit.title, hit.snippet, hit.role, hit.spans) == ("Green tea", "How long?", None, ())


def test_a_session_begins_with_its_first_message_also_where_all_are_of_one_time(
    store: SessionStore, index: SearchIndex, tmp_path: Path
) -> None:
    made = talk("imported", *(f"line {number}" for number in range(9)), title="Tea")
    at_once = tuple(msgspec.structs.replace(each, created=START) for each in made.messages)
    keep(store, msgspec.structs.replace(made, messages=at_once))
    for search in (index, without_index(store, tmp_path)):
        assert [hit.snippet for hit in search.find("tea")] == ["line 0"]


def test_what_was_attached_counts(store: SessionStore, index: SearchIndex) -> None:
    session = talk("lamps", "See this.")
    (asked,) = session.messages
    attached = (Attachment("keeper.md", "Trim the wick at dusk."), Attachment("", "Pasted: oil is low."))
    asked = msgspec.structs.replace(asked, attachments=attached)
    keep(store, msgspec.structs.replace(session, messages=(asked,)))
    for question in ("keeper.md", "wick", "see dusk", "pasted"):
        assert places(index, question) == [("lamps", "m0")], question
    assert "Trim the wick" in index.find("wick")[0].snippet


def test_archived_sessions_are_found_and_can_be_asked_for(store: SessionStore, index: SearchIndex) -> None:
    keep(store, talk("old", "tea", hour=1), talk("new", "tea", hour=2))
    store.archive("old")
    assert [(hit.session, hit.archived) for hit in index.find("tea")] == [("new", False), ("old", True)]
    assert places(index, "tea in:archived") == [("old", "m0")]
    assert places(index, "in:archived") == [("old", None)]
    assert places(index, "in:nowhere") == []


def test_every_branch_is_found_but_nothing_that_was_removed_or_not_said(
    store: SessionStore, index: SearchIndex
) -> None:
    session = talk("talk", "tea one", "tea two", "tea three", "tea four")
    sibling = Message("other", Role.USER, "tea five", START + timedelta(days=1), "m1")
    told = Message("told", Role.SYSTEM, "tea six", START, "m1")
    keep(store, msgspec.structs.replace(session, messages=(*session.messages, sibling, told)))
    assert [message for _, message in places(index, "tea")] == ["other", "m3", "m2", "m1", "m0"]
    with store.open("talk") as opened:
        gone = msgspec.structs.replace(opened.session.messages[2], removed=START)
        messages = (*opened.session.messages[:2], gone, *opened.session.messages[3:])
        opened.save(msgspec.structs.replace(opened.session, messages=messages))
    assert [message for _, message in places(index, "tea")] == ["other", "m1", "m0"]


def test_changes_are_found_at_once_and_what_is_deleted_is_not(
    store: SessionStore, index: SearchIndex
) -> None:
    keep(store, talk("talk", "tea", "milk"), talk("gone", "tea"))
    assert len(index.find("tea")) == 2
    store.delete("gone")
    store.rename("talk", "Drinks")
    assert places(index, "drinks tea") == [("talk", "m0")]
    assert places(index, "tea") == [("talk", "m0")]
    with store.open("talk") as opened:
        first, second = opened.session.messages
        changed = msgspec.structs.replace(first, text="coffee")
        opened.save(msgspec.structs.replace(opened.session, messages=(changed, second)))
    assert places(index, "tea") == []
    assert places(index, "milk") == [("talk", "m1")]


def test_files_that_are_no_sessions_are_passed_over_until_they_are(
    store: SessionStore, index: SearchIndex, tmp_path: Path
) -> None:
    keep(store, talk("talk", "tea"))
    (store.folder / "torn.json").write_text('{"schema": 2, "messages": [{"text": "tea"')
    (store.folder / "link.json").symlink_to(tmp_path)
    (store.folder / "folder.json").mkdir()
    for _ in range(2):
        assert places(index, "tea") == [("talk", "m0")]
    (store.folder / "torn.json").write_bytes((store.folder / "talk.json").read_bytes())
    assert sorted(places(index, "tea")) == [("talk", "m0"), ("torn", "m0")]


def damaged(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:6000])


def scrambled(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[5000:] = bytes(reversed(data[5000:]))
    file.write_bytes(data)


def emptied(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("DROP TABLE messages")


def of_another_version(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("harm", [damaged, torn, scrambled, emptied, of_another_version])
def test_an_index_that_cannot_be_used_is_made_anew(
    harm, store: SessionStore, index: SearchIndex, tmp_path: Path
) -> None:
    keep(store, *(talk(f"talk-{number}", "tea " * 50, hour=number) for number in range(20)))
    assert len(index.find("tea")) == 20
    (file,) = (tmp_path / "cache" / "search").glob("*.sqlite3")
    harm(file)
    assert len(index.find("tea")) == 20
    assert len(SearchIndex(store.folder, tmp_path / "cache").find("tea")) == 20
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_terminal_that_indexes_holds_nobody_up(
    store: SessionStore, index: SearchIndex, tmp_path: Path
) -> None:
    keep(store, talk("old", "tea", hour=1))
    index.refresh()
    (file,) = (tmp_path / "cache" / "search").glob("*.sqlite3")
    keep(store, talk("new", "tea", hour=2))
    store.delete("old")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert places(index, "tea") == [("new", "m0")], "read from its file, because the index cannot be written"
    other.execute("ROLLBACK")
    assert places(index, "tea") == [("new", "m0")]


def test_many_terminals_make_one_index(store: SessionStore, tmp_path: Path) -> None:
    keep(store, *(talk(f"talk-{number}", *(["tea and milk"] * 20)) for number in range(40)))
    code = (
        "import sys; from pathlib import Path; from tui_chat.store.search.index import SearchIndex\n"
        "index = SearchIndex(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(len(index.find('milk', 10_000)), len(index.find('milk', 10_000)))"
    )
    command = [sys.executable, "-c", code, str(store.folder), str(tmp_path / "cache")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0] for process in running] == ["800 800\n"] * 4


def test_progress_is_told(store: SessionStore, index: SearchIndex) -> None:
    keep(store, *(make_session(2, id=f"talk-{number}") for number in range(40)))
    told: list[tuple[int, int]] = []
    index.refresh(lambda done, of: told.append((done, of)))
    assert told[-1] == (40, 40)
    index.refresh(lambda done, of: told.append((0, 0)))
    assert (0, 0) not in told
