"""What must hold when the disk is full; run in a process of its own, against a disk that really is."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.pictures import png
from tests.store.support import asked, header, make_session, names
from tui_chat.chat.model import ProblemCode, Session
from tui_chat.chat.pictures import look_at
from tui_chat.store.drafts import Drafts
from tui_chat.store.errors import StoreError
from tui_chat.store.journal import JournalWriter, read_journal
from tui_chat.store.sessions import OpenSession, SessionStore
from tui_chat.wire.events import Delta, Numbered


def refused(work: Callable[[], object]) -> StoreError:
    """Run what must fail with a clear error."""
    with pytest.raises(StoreError) as caught:
        work()
    assert caught.value.problem.kept
    assert caught.value.problem.remedy
    return caught.value


def exercise(store: SessionStore, fill: Callable[[], None], free: Callable[[], None]) -> None:
    """Save, journal and settle on a disk that fills up and is freed again."""
    small = asked(make_session(2))
    large = msgspec.structs.replace(asked(make_session(40, size=20_000)), title="large")
    opened = store.create(small)
    before = (store.folder / "talk.json").read_bytes()
    writer = JournalWriter(opened.journal_path("answer"), header())
    writer.append(Numbered(1, Delta("kept ", 1)))
    fill()
    error = refused(lambda: opened.save(large))
    assert error.problem.code is ProblemCode.SAVE_FAILED
    assert (store.folder / "talk.json").read_bytes() == before
    assert names(store.folder) == {"talk.json", "talk.lock", "talk.answer.journal"}, "no half file stays"
    _journal_until_full(writer)
    refused(lambda: Drafts(store.folder / "drafts").write("new", "x" * 500_000))
    data = png() + bytes(20_000)
    seen = look_at(data)
    assert seen is not None
    refused(lambda: store.pictures.put(seen, data))
    assert names(store.pictures.folder) <= set(), "no half picture stays"
    free()
    writer.append(Numbered(3, Delta("and on", 1)))
    writer.sync()
    writer.close()
    state = read_journal(opened.journal_path("answer"))
    assert state.text == "kept and on"
    assert not state.torn
    _settle(opened, large)
    store.pictures.put(seen, data)
    assert store.pictures.get(seen) == data
    for beside in ("drafts", "pictures"):
        shutil.rmtree(store.folder / beside, ignore_errors=True)


def _journal_until_full(writer: JournalWriter) -> None:
    error = refused(lambda: writer.append(Numbered(2, Delta("y" * 500_000, 1))))
    assert error.problem.code is ProblemCode.JOURNAL_FAILED


def _settle(opened: OpenSession, large: Session) -> None:
    smaller = msgspec.structs.replace(large, messages=large.messages[-2:])
    first = msgspec.structs.replace(smaller.messages[0], parent=None)
    opened.save(msgspec.structs.replace(smaller, messages=(first, smaller.messages[1])))
    assert opened.settle("answer").messages[-1].text == "kept and on"
    opened.close()


def main(disk: Path) -> None:
    """Fill the small disk mounted at `disk`."""
    filler = disk / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"z" * 4096)

    exercise(SessionStore(disk / "sessions"), fill, filler.unlink)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
