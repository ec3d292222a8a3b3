"""A file is the same to the byte whether all of a session was encoded or only what is new in it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.support import make_session
from tests.strategies import grown, sessions
from tui_chat.chat.model import Session
from tui_chat.store.codec import DamagedError, Encoder, decode, encode
from tui_chat.store.sessions import SessionStore


def whole(session: Session) -> bytes:
    """What msgspec alone makes of a session."""
    return msgspec.json.format(msgspec.json.encode(session), indent=1) + b"\n"


@given(st.data(), sessions())
def test_any_session_and_what_it_becomes_are_encoded_as_a_whole_would_be(
    data: st.DataObject, session: Session
) -> None:
    encoder = Encoder()
    for _ in range(3):
        assert b"".join(encoder.encode(session)) == whole(session)
        assert encode(session) == whole(session)
        assert decode(encode(session), session.id) == session
        session = data.draw(grown(session))


def test_what_is_new_is_proven_though_the_rest_is_known() -> None:
    encoder = Encoder()
    session = make_session(600)
    assert b"".join(encoder.encode(session)) == whole(session)
    last = session.messages[-1]
    for broken in (
        msgspec.structs.replace(last, text=7),
        msgspec.structs.replace(last, id="../up"),
        msgspec.structs.replace(last, parent="nobody"),
        msgspec.structs.replace(last, id="m0"),
    ):
        with pytest.raises(DamagedError):
            encoder.encode(msgspec.structs.replace(session, messages=(*session.messages[:-1], broken)))
    torn = msgspec.structs.replace(session, messages=session.messages[:3] + session.messages[4:])
    with pytest.raises(DamagedError, match="unknown parent"):
        encoder.encode(torn)
    assert b"".join(encoder.encode(session)) == whole(session)


def test_a_session_that_is_saved_turn_by_turn_is_the_file_of_a_full_save(store: SessionStore) -> None:
    session = make_session(40)
    with store.create(msgspec.structs.replace(session, messages=(), leaf=None)) as opened:
        for count in range(1, 41):
            opened.save(msgspec.structs.replace(session, messages=session.messages[:count], leaf=None))
            assert (store.folder / "talk.json").read_bytes() == whole(opened.session)


def test_half_a_surrogate_pair_in_a_message_is_replaced() -> None:
    session = make_session(2)
    bad = msgspec.structs.replace(session.messages[1], text="bad \ud83c paste")
    encoded = encode(msgspec.structs.replace(session, messages=(session.messages[0], bad)))
    assert decode(encoded, "talk").messages[1].text == "bad ? paste"
