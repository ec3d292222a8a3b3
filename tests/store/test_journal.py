"""The journal of an answer: whole lines, tolerant reading, and folding that loses and doubles nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from tests.store.support import asked, header, make_session, names
from tui_chat.chat.model import Answer, FinishReason, Message, Problem, ProblemCode, Timings, Usage
from tui_chat.store.errors import StoreError
from tui_chat.store.journal import (
    EmptyJournalError,
    ForeignJournalError,
    JournalWriter,
    UnknownJournalError,
    fold,
    read_journal,
)
from tui_chat.store.sessions import SessionStore
from tui_chat.wire.events import Channel, Delta, Numbered, Prefill, Settled, Warned

EVENTS = (
    Numbered(1, Prefill(done=5, total=5, reused=2)),
    Numbered(2, Delta("Let me ", 2, Channel.THINKING)),
    Numbered(3, Delta("think.", 2, Channel.THINKING)),
    Numbered(4, Delta("Grüße\n", 3)),
    Numbered(7, Delta("茶", 1)),
    Numbered(8, Delta("🍵", 0)),
)
END = Settled(
    finish=FinishReason.STOP,
    usage=Usage(prompt_tokens=5, completion_tokens=8),
    timings=Timings(ttft_ms=12.5),
    seed=3,
    fingerprint="f",
)


BEGUN = {"prefix": "It says: ", "thought": "Well. "}


def write(path: Path, *events: Numbered, answer_id: str = "answer", **begun: str) -> None:
    writer = JournalWriter(path, header(answer_id, **begun))
    for event in events:
        writer.append(event)
    writer.sync()
    writer.close()


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    write(path, *EVENTS, Numbered(9, END))
    state = read_journal(path)
    assert (state.text, state.thinking, state.tokens) == ("Grüße\n茶🍵", "Let me think.", 8)
    assert state.settled == END
    assert state.last_seq == 9
    assert state.header == header()
    assert not state.torn
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_went_on_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    write(path, *EVENTS, Numbered(9, END), **BEGUN)
    state = read_journal(path)
    assert state.text == "It says: Grüße\n茶🍵"
    assert state.thinking == "Well. Let me think."
    assert state.tokens == 8, "of what is new"


def test_a_journal_cut_anywhere_gives_a_prefix(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    write(path, *EVENTS, Numbered(9, END))
    data = path.read_bytes()
    full = read_journal(path)
    for cut in range(data.index(b"\n"), len(data) - 1, 4):
        path.write_bytes(data[:cut])
        state = read_journal(path)
        assert full.text.startswith(state.text)
        assert full.thinking.startswith(state.thinking)
        assert not state.torn
        assert state.settled is None
    path.write_bytes(data[:-1])
    assert read_journal(path).settled == END


def test_a_bad_line_in_the_middle_is_skipped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    write(path, *EVENTS)
    lines = path.read_bytes().split(b"\n")
    lines[5] = b"\x00" * 20
    path.write_bytes(b"\n".join(lines))
    state = read_journal(path)
    assert state.torn
    assert state.text == "Grüße\n🍵"


def test_an_event_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    write(path, *EVENTS, *EVENTS)
    assert read_journal(path).text == "Grüße\n茶🍵"


def test_a_warning_and_half_a_surrogate_pair_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    warned = Warned(Problem(ProblemCode.JOURNAL_FAILED, "x"))
    write(path, Numbered(1, warned), Numbered(2, Delta("\ud83c!", 1)))
    assert read_journal(path).text == "?!"


def test_a_journal_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    write(path, *EVENTS)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        JournalWriter(path, header())
    assert caught.value.problem.code == ProblemCode.JOURNAL_FAILED
    assert path.read_bytes() == before


def test_what_is_no_journal_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "talk.answer.journal"
    for data, kind in (
        (b"", EmptyJournalError),
        (b'{"journal": 1, "id"', ForeignJournalError),
        (b"hello\n", ForeignJournalError),
        (b'{"journal": 2}\n', UnknownJournalError),
    ):
        path.write_bytes(data)
        with pytest.raises(kind):
            read_journal(path)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        read_journal(path)


def folded(session_text: str = "", *events: Numbered, answer: Answer | None = None, **begun: str) -> Message:
    place = asked(make_session()).messages[-1]
    place = msgspec.structs.replace(place, text=session_text, answer=answer or place.answer)
    session = asked(make_session())
    session = msgspec.structs.replace(session, messages=(*session.messages[:-1], place))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "talk.answer.journal"
        write(path, *events, **begun)
        state = read_journal(path)
    once = fold(session, state, FinishReason.ENGINE_DIED)
    assert fold(once, state, FinishReason.CANCELLED) == once, "folding twice changes nothing"
    assert once.messages[:-1] == session.messages[:-1]
    return once.messages[-1]


def test_a_settled_journal_has_the_last_word() -> None:
    message = folded("Gr", *EVENTS, Numbered(9, END))
    assert message.text == "Grüße\n茶🍵"
    assert message.thinking == "Let me think."
    assert message.answer == Answer(
        "some", seed=3, fingerprint="f", finish=FinishReason.STOP, usage=END.usage, timings=END.timings
    )
    ended = Answer("some", finish=FinishReason.ENGINE_DIED)
    assert folded("Gr", *EVENTS, Numbered(9, END), answer=ended).answer == message.answer


def test_an_unsettled_journal_ends_otherwise() -> None:
    message = folded("", *EVENTS)
    assert message.answer is not None
    assert message.answer.finish is FinishReason.ENGINE_DIED
    assert message.answer.usage.completion_tokens == 8
    assert message.answer.problem is not None
    assert "8 tokens" in message.answer.problem.kept


@pytest.mark.parametrize("events", [EVENTS, ()])
def test_an_answer_that_went_on_keeps_what_it_began_with(events: tuple[Numbered, ...]) -> None:
    message = folded("It says: ", *events, **BEGUN)
    assert message.text == "It says: " + ("Grüße\n茶🍵" if events else "")
    assert message.thinking == "Well. " + ("Let me think." if events else "")
    assert message.answer is not None
    assert message.answer.problem is not None
    assert message.answer.problem.kept == "All that it had said was kept."


def test_an_answer_that_went_on_and_has_no_journal_keeps_what_it_began_with(store: SessionStore) -> None:
    session = asked(make_session())
    place = msgspec.structs.replace(session.messages[-1], text="It says: ", thinking="Well. ")
    session = msgspec.structs.replace(session, messages=(*session.messages[:-1], place))
    store.create(session).close()
    with store.open("talk") as again:
        (state,) = again.unsettled
        assert (state.text, state.thinking) == ("It says: ", "Well. ")
        settled = again.settle("answer").messages[-1]
    assert settled.text == "It says: "
    assert settled.answer is not None
    assert settled.answer.problem is not None
    assert settled.answer.problem.what == "The answer was interrupted before it went on."


def test_the_longer_text_stays() -> None:
    assert folded("Grüße\n茶🍵 and more", *EVENTS, Numbered(9, END)).text == "Grüße\n茶🍵 and more"


def test_an_answer_that_ended_is_not_ended_again() -> None:
    cancelled = Answer("some", finish=FinishReason.CANCELLED)
    assert folded("Gr", *EVENTS, answer=cancelled).answer == cancelled


def test_a_settled_journal_is_folded_at_open(store: SessionStore) -> None:
    with store.create(asked(make_session())) as opened:
        path = opened.journal_path("answer")
    write(path, *EVENTS, Numbered(9, END))
    with store.open("talk") as again:
        assert again.session.messages[-1].text == "Grüße\n茶🍵"
        assert again.unsettled == ()
        assert again.notices == ()
    assert names(store.folder) == {"talk.json"}
    assert b"Let me think." in (store.folder / "talk.json").read_bytes()


def test_an_unsettled_journal_waits_for_settle(store: SessionStore) -> None:
    with store.create(asked(make_session())) as opened:
        path = opened.journal_path("answer")
    write(path, *EVENTS)
    with store.open("talk") as again:
        (state,) = again.unsettled
        assert state.text == "Grüße\n茶🍵"
        assert again.session.messages[-1].in_flight
        seen = msgspec.structs.replace(again.session.messages[-1], text="Grüße\n茶🍵!")
        session = again.settle("answer", FinishReason.CANCELLED, seen)
        assert again.unsettled == ()
        assert again.settle("answer") == session, "settling twice changes nothing"
    assert session.messages[-1].text == "Grüße\n茶🍵!"
    assert session.messages[-1].answer is not None
    assert session.messages[-1].answer.finish is FinishReason.CANCELLED
    assert names(store.folder) == {"talk.json"}
    with store.open("talk") as last:
        assert last.session == session


@pytest.mark.parametrize("journal", [None, b""], ids=["none", "empty"])
def test_an_answer_without_a_journal_is_unsettled_too(store: SessionStore, journal: bytes | None) -> None:
    with store.create(asked(make_session())) as opened:
        path = opened.journal_path("answer")
    if journal is not None:
        path.write_bytes(journal)
    with store.open("talk") as again:
        (state,) = again.unsettled
        assert state.path is None
        assert state.header.answer == Answer("some")
        again.settle("answer")
        assert not again.session.messages[-1].in_flight
    assert names(store.folder) == {"talk.json"}


def test_a_follower_sees_the_answer_and_leaves_the_journal(store: SessionStore) -> None:
    with store.create(asked(make_session())) as writer:
        write(writer.journal_path("answer"), *EVENTS, Numbered(9, END))
        with store.open("talk") as follower:
            assert follower.session.messages[-1].text == "Grüße\n茶🍵"
            with pytest.raises(StoreError):
                follower.settle("answer")
        assert writer.journal_path("answer").exists()
        writer.settle("answer")
    assert names(store.folder) == {"talk.json"}


def test_a_journal_without_its_answer_is_kept_and_told(store: SessionStore) -> None:
    with store.create(make_session()) as opened:
        path = opened.journal_path("answer")
    write(path, *EVENTS, Numbered(9, END))
    data = path.read_bytes()
    with store.open("talk") as again:
        (notice,) = again.notices
        assert again.session == make_session()
    kept = store.folder / "quarantine" / path.name
    assert str(kept) in notice.kept
    assert kept.read_bytes() == data
    with store.open("talk") as last:
        assert last.notices == ()


def test_a_journal_of_another_release_is_left_where_it_is(store: SessionStore) -> None:
    with store.create(asked(make_session())) as opened:
        path = opened.journal_path("answer")
        path.write_bytes(b'{"journal": 2}\nsecret\n')
        opened.settle("answer")
        assert not opened.session.messages[-1].in_flight
        assert len(opened.notices) == 1
    with store.open("talk") as again:
        assert len(again.notices) == 1
    assert path.read_bytes() == b'{"journal": 2}\nsecret\n'


def test_a_journal_that_names_another_answer_is_not_folded(store: SessionStore) -> None:
    with store.create(asked(make_session())) as opened:
        path = opened.journal_path("answer")
    write(path, *EVENTS, Numbered(9, END), answer_id="m1")
    with store.open("talk") as again:
        assert again.session.messages[1] == make_session().messages[1]
        assert again.session.messages[-1].in_flight
    assert (store.folder / "quarantine" / path.name).exists()
