"""One writer at a time: across processes, within one, and after a death."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import threading
from datetime import UTC, datetime

import msgspec
import pytest

from tests.store.support import die, in_child, make_session, names
from tui_chat.chat.model import ProblemCode
from tui_chat.store.errors import StoreError
from tui_chat.store.locks import FileLock, Holder
from tui_chat.store.sessions import SessionStore


def test_the_second_in_one_process_follows_and_takes_over(store: SessionStore) -> None:
    first = store.create(make_session())
    second = store.open("talk")
    assert not second.writable
    assert second.holder is not None
    assert second.holder.pid == os.getpid()
    with pytest.raises(StoreError) as caught:
        second.save(second.session)
    assert caught.value.problem.code == ProblemCode.SESSION_LOCKED
    assert second.reload() is None
    first.save(msgspec.structs.replace(first.session, title="Changed"))
    followed = second.reload()
    assert followed is not None
    assert followed.title == "Changed"
    assert not second.try_acquire()
    first.close()
    assert second.try_acquire()
    assert second.holder is None
    second.save(followed)
    second.close()
    assert names(store.folder) == {"talk.json"}


def test_a_killed_holder_leaves_the_lock_to_the_next(store: SessionStore) -> None:
    store.create(make_session()).close()
    ready, tell = os.pipe()

    def hold() -> None:
        opened = store.open("talk")
        assert opened.writable
        os.write(tell, b"1")
        signal.pause()

    pid = os.fork()
    if pid == 0:
        hold()
    os.read(ready, 1)
    try:
        with store.open("talk") as second:
            assert not second.writable
            assert second.holder is not None
            assert second.holder.pid == pid
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pid = 0
            assert second.try_acquire()
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(ready)
        os.close(tell)
    assert names(store.folder) == {"talk.json"}


def test_what_the_dead_left_is_swept_when_any_session_is_opened(store: SessionStore) -> None:
    store.create(make_session()).close()
    store.create(make_session(id="other")).close()

    def leave() -> None:
        opened = store.open("other")
        os.replace = lambda *paths: die()
        opened.save(opened.session)

    assert in_child(leave) == -signal.SIGKILL
    assert len(names(store.folder)) == 4, "a lock and a temporary file are left"
    ours = store.folder / f".talk.json.{os.getpid()}-0123abcd.tmp"
    ours.write_text("being written by another thread of this process")
    with store.open("talk"):
        assert names(store.folder) == {"talk.json", "talk.lock", "other.json", ours.name}


def test_many_threads_and_one_lock(store: SessionStore) -> None:
    """Files that come and go under contention never let two in."""
    store.folder.mkdir()
    path = store.folder / "talk.lock"
    inside = 0
    most = 0
    wins = 0
    guard = threading.Lock()

    def contend() -> None:
        nonlocal inside, most, wins
        for _ in range(60):
            lock = FileLock(path)
            if lock.acquire():
                with guard:
                    inside += 1
                    wins += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1
                lock.release()

    threads = [threading.Thread(target=contend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert wins >= 60
    assert names(store.folder) == set()


def test_without_locks_in_the_file_system_sessions_are_still_written(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with store.create(make_session()) as opened:
        opened.save(opened.session)


def test_only_a_terminal_within_reach_is_asked_to_leave(store: SessionStore) -> None:
    with store.create(make_session()) as first, store.open("talk") as second:
        assert not first.ask_holder_to_leave()
        assert not second.ask_holder_to_leave(), "we would end ourselves"
        lock = store.folder / "talk.lock"
        elsewhere = Holder(pid=1, since=datetime.now(UTC), host="another-machine")
        lock.write_bytes(msgspec.json.encode(elsewhere))
        assert not second.ask_holder_to_leave(), "that process runs on another machine"


def test_a_process_that_only_has_the_holders_number_is_left_alone(store: SessionStore) -> None:
    with subprocess.Popen(["sleep", "600"]) as bystander:
        with store.create(make_session()), store.open("talk") as second:
            signed = Holder(pid=bystander.pid, since=datetime.now(UTC), host=os.uname().nodename)
            (store.folder / "talk.lock").write_bytes(msgspec.json.encode(signed))
            asked = second.ask_holder_to_leave()
        alive = bystander.poll() is None
        bystander.kill()
    assert not asked
    assert alive


def test_closing_twice_is_harmless(store: SessionStore) -> None:
    opened = store.create(make_session())
    opened.close()
    opened.close()
    assert opened.session == make_session()
    with pytest.raises(StoreError):
        opened.save(opened.session)
