"""What the journals beside a session add to it: answers that ended, answers still being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tui_chat.chat.model import FinishReason, Message, Session
from tui_chat.store.files import stamp
from tui_chat.store.journal import (
    EmptyJournalError,
    ForeignJournalError,
    JournalState,
    UnknownJournalError,
    fold,
    read_journal,
)
from tui_chat.store.places import Places
from tui_chat.wire.api import JournalHeader


@dataclass(slots=True)
class Recovery:
    """A session with every settled journal folded in, and what to do with the journals.

    Attributes:
        session: The session after folding.
        spent: Journals with nothing in them that is not in `session`: to be deleted once it is saved.
        unsettled: Answers in flight.
        strays: Journals that belong to no answer of the session, each with the reason.
        unread: Journals that are left alone, each with the reason.
    """

    session: Session
    spent: list[Path] = field(default_factory=list)
    unsettled: list[JournalState] = field(default_factory=list)
    strays: list[tuple[Path, str]] = field(default_factory=list)
    unread: list[tuple[Path, str]] = field(default_factory=list)


def recover(session: Session, places: Places) -> Recovery:
    """Read the journals of `session` and fold those that are settled. Changes nothing on disk."""
    found = Recovery(session)
    for path in places.journals():
        _take_in(found, path, places.answer_of(path))
    journalled = {state.header.id for state in found.unsettled}
    found.unsettled += [
        without_journal(message, session.id)
        for message in found.session.messages
        if message.in_flight and message.id not in journalled
    ]
    return found


def recover_one(session: Session, places: Places, answer_id: str, otherwise: FinishReason) -> Recovery:
    """Fold what is known of one answer, ending it as `otherwise` if it is in flight."""
    found = Recovery(session)
    path = places.journal(answer_id)
    if stamp(path) is not None:
        _take_in(found, path, answer_id)
    message = find(found.session, answer_id)
    if message is not None and message.in_flight:
        states = found.unsettled or [without_journal(message, session.id)]
        found.session = fold(session, states[0], otherwise)
        found.spent += [path] if stamp(path) is not None and not (found.strays or found.unread) else []
        found.unsettled = []
    return found


def without_journal(message: Message, session_id: str) -> JournalState:
    """Return the state of an answer in flight that no journal tells about."""
    assert message.answer is not None, "only answers are in flight"
    header = JournalHeader(
        id=message.id,
        session=session_id,
        started=message.created,
        answer=message.answer,
        prefix=message.text,
        thought=message.thinking,
    )
    return JournalState(header=header, text=message.text, thinking=message.thinking)


def find(session: Session, id: str) -> Message | None:
    """Return the message called `id`, newest first because that is the one asked for."""
    return next((message for message in reversed(session.messages) if message.id == id), None)


def _take_in(found: Recovery, path: Path, answer_id: str) -> None:
    message = find(found.session, answer_id)
    try:
        state = read_journal(path)
    except EmptyJournalError:
        if message is None or not message.in_flight:  # or else it may be about to be written
            found.spent.append(path)
    except UnknownJournalError as error:
        found.unread.append((path, str(error)))
    except OSError as error:
        found.unread.append((path, error.strerror or str(error)))
    except ForeignJournalError:
        found.strays.append((path, "it is damaged or no journal"))
    else:
        if message is None:
            found.strays.append((path, "its answer is not in the session"))
        elif state.header.id != answer_id:
            found.strays.append((path, f"it tells about another answer, {state.header.id}"))
        elif state.settled or not message.in_flight:
            found.session = fold(found.session, state, FinishReason.ENGINE_DIED)
            found.spent.append(path)
        else:
            found.unsettled.append(state)
