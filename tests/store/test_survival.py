"""Killed at every step, and out of disk: nothing is lost and nothing is doubled."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.store.full_disk import exercise
from tests.store.support import asked, header, in_child, killed_at, make_session, names
from tui_chat.chat.model import FinishReason, Session
from tui_chat.store.errors import StoreError
from tui_chat.store.journal import JournalWriter
from tui_chat.store.sessions import SessionStore
from tui_chat.wire.events import Delta, Numbered, Settled

TEXT = "the whole answer"


def every_step(work: Callable[[], object], prepare: Callable[[], object], check: Callable[[], object]) -> int:
    """Kill `work` before each of its steps in turn, from a fresh start; returns how many there are."""
    step = 0
    while True:
        prepare()
        killed = killed_at(step, work)
        check()
        if not killed:
            return step
        step += 1


def fresh(store: SessionStore, session: Session) -> None:
    shutil.rmtree(store.folder, ignore_errors=True)
    store.create(session).close()


def test_killed_while_saving(store: SessionStore) -> None:
    old = make_session()
    new = msgspec.structs.replace(make_session(8), title="The new one")

    def work() -> None:
        with store.open("talk") as opened:
            opened.save(new)

    def check() -> None:
        with store.open("talk") as opened:
            assert opened.writable
            assert opened.session in (old, new)
            assert opened.notices == ()
        assert names(store.folder) == {"talk.json"}

    assert every_step(work, lambda: fresh(store, old), check) > 6


def test_killed_while_creating(store: SessionStore) -> None:
    def check() -> None:
        if store.list():
            with store.open("talk") as opened:
                assert opened.session == make_session()
        store.create(make_session(id="next")).close()
        assert names(store.folder) <= {"talk.json", "next.json"}

    every_step(
        lambda: store.create(make_session()), lambda: shutil.rmtree(store.folder, ignore_errors=True), check
    )


@pytest.mark.parametrize("settled", [True, False], ids=["settled", "unsettled"])
def test_killed_while_settling(store: SessionStore, settled: bool) -> None:
    def prepare() -> None:
        fresh(store, asked(make_session()))
        writer = JournalWriter(store.folder / "talk.answer.journal", header())
        writer.append(Numbered(1, Delta(TEXT[:5], 1)), Numbered(2, Delta(TEXT[5:], 1)))
        if settled:
            writer.append(Numbered(3, Settled(FinishReason.STOP)))
        writer.close()

    def work() -> None:
        with store.open("talk") as opened:
            opened.settle("answer")

    def check() -> None:
        with store.open("talk") as opened:
            assert opened.notices == ()
            opened.settle("answer")
            message = opened.session.messages[-1]
        assert message.text == TEXT
        assert message.answer is not None
        assert message.answer.finish is (FinishReason.STOP if settled else FinishReason.ENGINE_DIED)
        assert len(opened.session.messages) == 8
        assert names(store.folder) == {"talk.json"}

    assert every_step(work, prepare, check) > 6


def test_killed_while_rescuing_a_torn_file(store: SessionStore) -> None:
    def prepare() -> None:
        fresh(store, make_session())
        os.truncate(store.folder / "talk.json", 900)

    def check() -> None:
        kept = store.folder / "quarantine"
        originals = [path for path in kept.iterdir() if path.stat().st_size == 900] if kept.exists() else []
        torn = (store.folder / "talk.json").exists() and (store.folder / "talk.json").stat().st_size == 900
        assert len(originals) + torn == 1, "the torn file is there, once"

    every_step(lambda: store.open("talk").close(), prepare, check)


def test_a_file_size_limit_is_like_a_full_disk(store: SessionStore) -> None:
    """Needs no rights, so it runs everywhere; the limit makes writing fail half way."""

    def limit(size: int | None) -> None:
        ceiling = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (ceiling if size is None else size, ceiling))

    assert in_child(lambda: exercise(store, lambda: limit(4096), lambda: limit(None))) == 0
    assert names(store.folder) == {"talk.json"}


def test_a_full_disk(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -m tests.store.full_disk "$1"'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", str(tmp_path), sys.executable]
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    os.geteuid() != 0, reason="changes to another user; read-only folders stop everybody but root"
)
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions")
    store.create(make_session()).close()
    (store.folder / "talk.json").chmod(0o644)
    store.folder.chmod(0o755)

    def work() -> None:
        os.chdir(store.folder)
        os.setgid(65534)
        os.setuid(65534)
        here = SessionStore(Path())
        with here.open("talk") as opened:
            assert not opened.writable
            assert opened.holder is None
            assert opened.session == make_session()
            assert "cannot be written" in opened.notices[0].what
            assert not opened.try_acquire()
        with pytest.raises(StoreError, match="may not be written"):
            here.create(make_session(id="new"))

    assert in_child(work) == 0
    assert names(store.folder) == {"talk.json"}
