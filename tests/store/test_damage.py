"""Damaged files: nothing is lost, nothing is overwritten, and the user is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.support import asked, make_session, names
from tui_chat.chat.export.document import Form, to_document
from tui_chat.chat.model import SCHEMA, ProblemCode, Session
from tui_chat.store.codec import encode
from tui_chat.store.errors import StoreError
from tui_chat.store.sessions import SessionStore


def put(store: SessionStore, data: bytes) -> None:
    store.folder.mkdir(exist_ok=True)
    (store.folder / "talk.json").write_bytes(data)


def open_damaged(store: SessionStore) -> tuple[Session | None, str]:
    """Open "talk": what could be read of it, and what the user is told was kept."""
    try:
        with store.open("talk") as opened:
            (problem,) = opened.notices
            session = opened.session
    except StoreError as error:
        problem, session = error.problem, None
    assert problem.code == ProblemCode.SESSION_DAMAGED
    return session, problem.kept


def test_a_file_cut_anywhere_keeps_its_whole_messages_and_the_original(store: SessionStore) -> None:
    whole = make_session(8)
    data = encode(whole)
    rescued = 0
    for count, cut in enumerate(range(0, len(data) - 2, 64), start=1):
        put(store, data[:cut])
        session, kept = open_damaged(store)
        quarantined = store.folder / "quarantine" / ("talk.json" if count == 1 else f"talk-{count}.json")
        assert quarantined.read_bytes() == data[:cut]
        assert str(quarantined) in kept
        if session is not None:
            assert session.messages == whole.messages[: len(session.messages)]
            assert len(session.messages) == data[:cut].count(b"\n  }")
            assert session.title == whole.title
            rescued += 1
            with store.open("talk") as again:
                assert again.session == session
                assert again.notices == ()
            (store.folder / "talk.json").unlink()
        assert names(store.folder) == {"quarantine"}
    assert rescued > 10


def edited(change: Callable[[dict[str, Any]], None]) -> bytes:
    raw = json.loads(encode(make_session()))
    change(raw)
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda raw: raw["messages"].append(dict(raw["messages"][2])), 6),
        (lambda raw: raw["messages"][0].update(parent="m5"), 0),
        (lambda raw: raw["messages"][3].update(parent="m5"), 3),
        (lambda raw: raw["messages"][3].update(parent="gone"), 3),
        (lambda raw: raw["messages"][3].update(text=7), 3),
        (lambda raw: raw["messages"][3].update(id="../../etc/passwd"), 3),
        (lambda raw: raw.update(created="yesterday"), 0),
        (lambda raw: raw.update(messages="none"), 0),
        (lambda raw: raw.update(schema="one"), 0),
        (lambda raw: raw.update(schema=0), 0),
    ],
    ids=[
        "id twice",
        "circle",
        "later circle",
        "no parent",
        "text",
        "id",
        "time",
        "messages",
        "schema",
        "too old",
    ],
)
def test_a_file_that_contradicts_itself_is_quarantined(
    store: SessionStore, change: Callable[[dict[str, Any]], None], left: int
) -> None:
    data = edited(change)
    put(store, data)
    session, _ = open_damaged(store)
    assert len(session.messages if session else ()) == left
    assert (store.folder / "quarantine" / "talk.json").read_bytes() == data


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe\x00", b"[" * 100_000, b'{"messages": [' * 5000, b"\x00" * 4096],
    ids=["empty", "null", "list", "object", "utf-16", "deep", "deep messages", "zeros"],
)
def test_a_foreign_file_is_quarantined(store: SessionStore, data: bytes) -> None:
    put(store, data)
    assert open_damaged(store)[0] is None
    assert (store.folder / "quarantine" / "talk.json").read_bytes() == data
    assert store.list() == []


def test_a_newer_file_is_refused_and_left_alone(store: SessionStore) -> None:
    data = edited(lambda raw: raw.update(schema=SCHEMA + 1, messages={"of": "another shape"}))
    put(store, data)
    with pytest.raises(StoreError) as caught:
        store.open("talk")
    assert caught.value.problem.code == ProblemCode.SESSION_NEWER
    assert (store.folder / "talk.json").read_bytes() == data
    assert names(store.folder) == {"talk.json"}


def test_a_damaged_file_takes_its_journals_to_quarantine(store: SessionStore) -> None:
    put(store, b"torn")
    (store.folder / "talk.answer.journal").write_text("what was said")
    assert open_damaged(store)[0] is None
    assert (store.folder / "quarantine" / "talk.answer.journal").read_text() == "what was said"


def test_a_follower_moves_nothing(store: SessionStore) -> None:
    with store.create(make_session()):
        put(store, b"torn")
        with pytest.raises(StoreError) as caught:
            store.open("talk")
        assert "untouched" in caught.value.problem.kept
        assert (store.folder / "talk.json").read_bytes() == b"torn"


def test_a_torn_file_with_an_answer_in_flight_goes_on(store: SessionStore) -> None:
    data = encode(asked(make_session()))
    put(store, data[: data.rindex(b"}")])
    session, _ = open_damaged(store)
    assert session is not None
    assert session.messages[-1].in_flight


def places_in(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value below `value`."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in pairs:
        yield (*above, key)
        yield from places_in(below, (*above, key))


GOOD = json.loads(encode(make_session(4)))
odd = st.recursive(
    st.one_of(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        st.sampled_from([10**400, "m0", "m3", "talk", "../../x", "/etc/passwd", "\ud800", "\x1b[2J", "user"]),
        st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-11-20T12:00:00"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
changes = st.lists(st.tuples(st.sampled_from([*places_in(GOOD)]), odd), min_size=1, max_size=3)


@settings(max_examples=120)
@given(changes, st.integers(0, 4000), st.binary(max_size=3))
def test_whatever_is_in_a_file_it_is_kept_and_nothing_else_is_written(
    changed: list[tuple[tuple[Any, ...], Any]], at: int, noise: bytes
) -> None:
    raw = json.loads(json.dumps(GOOD))
    for place, value in changed:
        inside = raw
        try:
            for part in place[:-1]:
                inside = inside[part]
            inside[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken the place away
    data = json.dumps(raw).encode("utf-8", "surrogatepass")
    data = data[:at] + noise + data[at:] if at < len(data) else data
    with TemporaryDirectory() as folder:
        store = SessionStore(Path(folder) / "sessions")
        put(store, data)
        assert len(store.list(archived=None)) == 1
        try:
            with store.open("talk") as opened:
                for form in Form:
                    to_document(opened.session, form, whole=True, thinking=True)
        except StoreError:
            pass  # said in words, as the tests above have it
        assert names(Path(folder)) == {"sessions"}
        assert data in [file.read_bytes() for file in store.folder.rglob("*.json")]
