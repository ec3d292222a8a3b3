"""Sessions come back as they were saved, and are listed, renamed, archived, deleted and restored."""

from __future__ import annotations

import os
import random
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.store.support import START, make_session, names
from tui_chat.chat.model import SCHEMA, Answer, FinishReason, Message, ProblemCode, Role, Session, Timings
from tui_chat.chat.tree import ChatTree
from tui_chat.store.errors import StoreError
from tui_chat.store.sessions import SessionStore


def test_what_is_saved_comes_back_and_nothing_is_left_beside_it(store: SessionStore) -> None:
    session = make_session()
    with store.create(session) as opened:
        assert opened.writable
        assert names(store.folder) == {"talk.json", "talk.lock"}
        tree = ChatTree(opened.session)
        tree.add(Message(id="next", role=Role.USER, text="go on", created=START, parent=tree.leaf))
        opened.save(tree.session)
    assert names(store.folder) == {"talk.json"}
    with store.open("talk") as again:
        assert again.session == tree.session
        assert again.notices == ()
    assert stat.S_IMODE((store.folder / "talk.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert (store.folder / "talk.json").read_text().startswith(f'{{\n "schema": {SCHEMA},\n')


def test_random_trees_come_back(store: SessionStore) -> None:
    alphabet = 'aé茶🍵"\\\n\t\x00\u2028 {}[],:'
    for seed in range(40):
        luck = random.Random(seed)
        tree = ChatTree(make_session(0, id=f"tree-{seed}"))
        for index in range(luck.randint(0, 30)):
            parent = luck.choice([None, *(message.id for message in tree.session.messages)])
            text = "".join(luck.choices(alphabet, k=luck.randint(0, 50)))
            role = luck.choice(list(Role))
            answer = (
                Answer("m", finish=luck.choice([*FinishReason]), timings=Timings(ttft_ms=luck.random()))
                if role is Role.ASSISTANT
                else None
            )
            tree.add(
                Message(f"m{index}", role, text, START + timedelta(seconds=index), parent, answer=answer)
            )
        store.create(tree.session).close()
        with store.open(f"tree-{seed}") as opened:
            assert opened.session == tree.session


def test_ten_thousand_messages_come_back(store: SessionStore) -> None:
    session = make_session(10_000, size=2000)
    store.create(session).close()
    assert (store.folder / "talk.json").stat().st_size > 20_000_000
    with store.open("talk") as opened:
        assert opened.session == session
    assert store.list()[0].messages == 10_000


def test_half_a_surrogate_pair_is_replaced_and_not_fatal(store: SessionStore) -> None:
    broken = msgspec.structs.replace(make_session(), title="bad \ud83c paste")
    store.create(broken).close()
    with store.open("talk") as opened:
        assert opened.session.title == "bad ? paste"


def test_what_could_not_be_read_back_is_not_written(store: SessionStore) -> None:
    with store.create(make_session()) as opened:
        before = (store.folder / "talk.json").read_bytes()
        doubled = msgspec.structs.replace(opened.session, messages=opened.session.messages * 2)
        with pytest.raises(StoreError, match="twice"):
            opened.save(doubled)
        endless = msgspec.structs.replace(opened.session, updated="soon")
        with pytest.raises(StoreError):
            opened.save(endless)
        assert (store.folder / "talk.json").read_bytes() == before


def test_the_list_is_newest_first_and_never_stumbles(store: SessionStore) -> None:
    for index in range(5):
        session = make_session(index, id=f"s{index}")
        store.create(msgspec.structs.replace(session, updated=START + timedelta(days=index % 3))).close()
    store.archive("s1")
    (store.folder / "torn.json").write_bytes(b'{"schema": 1, "id": "to')
    (store.folder / "newer.json").write_bytes(b'{"schema": 99, "updated": "2026-01-01T00:00:00Z"}')
    (store.folder / "foreign.json").write_bytes(b"[1, 2, 3]")
    (store.folder / "binary.json").write_bytes(bytes(range(256)))
    (store.folder / "No Session.json").write_text("{}")
    (store.folder / "folder.json").mkdir()
    os.mkfifo(store.folder / "pipe.json")
    (store.folder / "link.json").symlink_to("/etc/passwd")
    listed = store.list()
    whole = [summary for summary in listed if not summary.problem]
    assert [summary.id for summary in whole] == ["s2", "s4", "s3", "s0"]
    assert whole[0].preview == '0: wörds "quoted" 茶 🍵'
    assert whole[0].messages == 2
    bad = {summary.id: summary.problem.code for summary in listed if summary.problem}
    assert bad.pop("newer") == ProblemCode.SESSION_NEWER
    assert set(bad) == {"torn", "foreign", "binary", "folder", "pipe", "link"}
    assert [s.id for s in store.list(archived=True) if not s.problem] == ["s1"]
    assert len([s for s in store.list(archived=None) if not s.problem]) == 5
    assert "torn.json" in names(store.folder), "listing moves nothing"


def test_a_folder_that_is_not_there_is_empty_and_stays_away(store: SessionStore) -> None:
    assert store.list() == []
    with pytest.raises(StoreError) as caught:
        store.open("talk")
    assert caught.value.problem.code == ProblemCode.SESSION_MISSING
    assert not store.folder.exists()


def test_the_list_notices_a_change(store: SessionStore) -> None:
    store.create(make_session()).close()
    assert store.list()[0].title == "A talk"
    store.rename("talk", "Another")
    assert store.list()[0].title == "Another"
    with store.open("talk") as opened:
        assert opened.session.titled_by_user


def test_archive_has_an_undo(store: SessionStore) -> None:
    store.create(make_session()).close()
    store.archive("talk")
    assert store.list() == []
    store.unarchive("talk")
    assert [summary.id for summary in store.list()] == ["talk"]
    assert store.list()[0].updated == make_session().updated


def test_delete_moves_to_the_trash_and_back(store: SessionStore) -> None:
    store.create(make_session()).close()
    (store.folder / "talk.answer.journal").write_text("kept")
    assert store.delete("talk") == "talk"
    assert store.list() == []
    assert [summary.id for summary in store.trash.list()] == ["talk"]
    store.create(make_session(2)).close()
    assert store.delete("talk") == "talk-2", "the first is not overwritten"
    store.create(make_session(4)).close()
    assert store.restore("talk") == "talk-2"
    with store.open("talk-2") as opened:
        assert opened.session.messages == make_session().messages
        assert opened.id == opened.session.id == "talk-2"
    assert (store.folder / "quarantine" / "talk-2.answer.journal").read_text() == "kept"


def test_what_is_open_elsewhere_cannot_be_changed_from_the_list(store: SessionStore) -> None:
    with store.create(make_session()):
        for change in (store.archive, store.delete, lambda name: store.rename(name, "x")):
            with pytest.raises(StoreError) as caught:
                change("talk")
            assert caught.value.problem.code == ProblemCode.SESSION_LOCKED
    assert names(store.folder) == {"talk.json"}


@pytest.mark.parametrize(
    "id", ["../talk", "a/b", ".", "", "a.b", "Talk", "-a", "a\n", "a\x00", "é", "a" * 65]
)
def test_a_name_that_could_leave_the_folder_is_refused(store: SessionStore, id: str) -> None:
    (store.folder.parent / "talk.json").write_text("{}")
    for call in (store.open, store.archive, store.delete, store.restore):
        with pytest.raises(StoreError) as caught:
            call(id)
        assert caught.value.problem.code == ProblemCode.BAD_REQUEST
    with pytest.raises(StoreError):
        store.create(make_session(id=id))
    with store.create(make_session()) as opened, pytest.raises(ValueError, match="message id"):
        opened.journal_path(id)


def test_links_are_never_followed(store: SessionStore, tmp_path: Path) -> None:
    store.create(make_session()).close()
    outside = tmp_path / "outside.json"
    outside.write_bytes((store.folder / "talk.json").read_bytes())
    (store.folder / "link.json").symlink_to(outside)
    with pytest.raises(StoreError, match="cannot be read"):
        store.open("link")
    (store.folder / "talk.lock").symlink_to(tmp_path / "made-through-a-link")
    with store.open("talk") as opened:
        assert not opened.writable
    assert not (tmp_path / "made-through-a-link").exists()


def test_the_name_of_the_file_is_the_id(store: SessionStore) -> None:
    store.create(make_session()).close()
    (store.folder / "copy.json").write_bytes((store.folder / "talk.json").read_bytes())
    with store.open("copy") as opened:
        assert opened.session.id == "copy"
        opened.save(msgspec.structs.replace(opened.session, title="The copy"))
    assert {summary.title for summary in store.list()} == {"A talk", "The copy"}


def test_times_without_a_zone_are_utc(store: SessionStore) -> None:
    store.folder.mkdir()
    (store.folder / "talk.json").write_text(
        '{"schema": 1, "id": "talk", "created": "2026-01-01T00:00:00", "updated": "2026-01-01T00:00:00",'
        '"leaf": "gone",'
        '"messages": [{"id": "a", "role": "user", "text": "hi", "created": "2026-01-01T00:00:00"}]}'
    )
    with store.open("talk") as opened:
        assert opened.session.messages[0].created == datetime(2026, 1, 1, tzinfo=UTC)
        assert opened.session.leaf == "a"
        ChatTree(opened.session).add(Message("b", Role.USER, "", datetime.now(UTC), "a"))
    assert store.list()[0].updated.tzinfo is UTC


def test_a_change_by_somebody_else_is_not_overwritten(store: SessionStore) -> None:
    with store.create(make_session()) as opened:
        (store.folder / "talk.json").write_bytes(b"edited by hand")
        ours = msgspec.structs.replace(opened.session, title="Ours")
        for _ in range(2):
            with pytest.raises(StoreError) as caught:
                opened.save(ours)
            assert caught.value.problem.code == ProblemCode.SAVE_FAILED
        assert (store.folder / "talk.json").read_bytes() == b"edited by hand"
        (conflict,) = [summary for summary in store.list() if "conflict" in summary.id]
        assert conflict.title == "Ours (conflict)"
        assert conflict.id in caught.value.problem.remedy
    with store.open(conflict.id) as kept:
        assert kept.session.messages == ours.messages


def test_a_file_that_was_removed_meanwhile_is_written_again(store: SessionStore) -> None:
    with store.create(make_session()) as opened:
        (store.folder / "talk.json").unlink()
        opened.save(opened.session)
    assert [summary.id for summary in store.list()] == ["talk"]


def test_two_new_sessions_cannot_have_one_name(store: SessionStore) -> None:
    store.create(make_session()).close()
    with pytest.raises(StoreError, match="exists already"):
        store.create(make_session(2))
    with store.open("talk") as opened:
        assert len(opened.session.messages) == 6
    assert names(store.folder) == {"talk.json"}


def test_a_session_is_saved_under_its_own_name_only(store: SessionStore) -> None:
    with store.create(make_session()) as opened, pytest.raises(ValueError, match="does not belong"):
        opened.save(make_session(id="other"))


def test_queued_messages_come_back(store: SessionStore) -> None:
    waiting = Message("later", Role.USER, "and then?", START)
    session: Session = msgspec.structs.replace(make_session(), queued=(waiting,))
    store.create(session).close()
    with store.open("talk") as opened:
        assert opened.session.queued == (waiting,)
