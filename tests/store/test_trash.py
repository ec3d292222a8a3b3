"""What was deleted can be had back for a while: sessions from the trash, branches inside a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.store.support import START, make_session, names
from tui_chat.chat.model import Origin, ProblemCode, Role
from tui_chat.store.errors import StoreError
from tui_chat.store.sessions import SessionStore
from tui_chat.store.trash import purge_if_due

NOW = datetime.now(UTC)


def filled(store: SessionStore, *ids: str) -> None:
    for name in ids:
        store.create(make_session(id=name)).close()
        store.delete(name)


def test_the_trash_says_when_each_goes(store: SessionStore) -> None:
    filled(store, "one", "two")
    kept = SessionStore(store.folder, trash_days=30)
    listed = kept.trashed()
    assert [each.summary.id for each in listed] == ["two", "one"]
    for each in listed:
        assert NOW - timedelta(minutes=1) < each.deleted < NOW + timedelta(minutes=5)
        assert each.goes == each.deleted + timedelta(days=30)
    assert [each.goes for each in store.trashed()] == [None, None]


def test_what_is_old_goes_with_its_journals_once_a_day(store: SessionStore) -> None:
    filled(store, "one")
    trash = store.folder / "trash"
    (trash / "one.answer.journal").write_text("said")
    (trash / "not ours.json").write_text("{}")
    purge_if_due(trash, 30, NOW + timedelta(days=29))
    assert [each.summary.id for each in store.trashed()] == ["one"]
    purge_if_due(trash, 30, NOW + timedelta(days=29, hours=23))
    purge_if_due(trash, 0, NOW + timedelta(days=900))
    assert "one.json" in names(trash), "not twice a day, and never with 0 days"
    purge_if_due(trash, 30, NOW + timedelta(days=31))
    assert names(trash) == {"not ours.json", ".looked-through"}


def test_a_listing_looks_through_the_trash(store: SessionStore) -> None:
    filled(store, "one")
    kept = SessionStore(store.folder, trash_days=30)
    kept.list()
    assert kept.restore("one") == "one"
    assert [summary.id for summary in kept.list()] == ["one"]


def test_an_empty_folder_stays_away(store: SessionStore) -> None:
    assert SessionStore(store.folder, trash_days=30).list() == []
    assert not store.folder.exists()


def test_a_branch_removed_long_ago_goes_when_the_session_is_next_written(store: SessionStore) -> None:
    session = make_session(6)
    old = msgspec.structs.replace(session.messages[2], removed=NOW - timedelta(days=31))
    session = msgspec.structs.replace(
        session, messages=(*session.messages[:2], old, *session.messages[3:]), leaf="m1"
    )
    store.create(session).close()
    before = (store.folder / "talk.json").read_bytes()
    with store.open("talk") as opened:
        assert len(opened.session.messages) == 6
    kept = SessionStore(store.folder, trash_days=30)
    with kept.open("talk") as opened, kept.open("talk") as follower:
        assert [message.id for message in opened.session.messages] == ["m0", "m1"]
        assert len(follower.session.messages) == 6, "only who may write takes something away"
        assert (store.folder / "talk.json").read_bytes() == before, "opening alone writes nothing"
        opened.save(opened.session)
    with store.open("talk") as opened:
        assert [message.id for message in opened.session.messages] == ["m0", "m1"]


def test_the_list_counts_what_was_said_and_not_removed(store: SessionStore) -> None:
    session = make_session(6, tags=("tea",), origin=Origin("other", "m1"))
    first = msgspec.structs.replace(session.messages[0], role=Role.SYSTEM, text="From here on …")
    gone = msgspec.structs.replace(session.messages[4], removed=START)
    changed = (first, *session.messages[1:4], gone, session.messages[5])
    store.create(msgspec.structs.replace(session, messages=changed)).close()
    (summary,) = store.list()
    assert summary.messages == 3
    assert summary.preview.startswith("2: wörds")
    assert summary.tags == ("tea",)
    assert summary.origin == Origin("other", "m1")


def test_tags_are_kept_tidy_and_listed(store: SessionStore) -> None:
    store.create(make_session()).close()
    assert store.tag("talk", ["#tea", "Tea", "green leaf"]) == ("tea", "green leaf")
    assert store.list()[0].tags == ("tea", "green leaf")
    assert store.list()[0].updated == make_session().updated
    assert store.tag("talk", []) == ()
    with store.open("talk"), pytest.raises(StoreError) as caught:
        store.tag("talk", ["x"])
    assert caught.value.problem.code == ProblemCode.SESSION_LOCKED
