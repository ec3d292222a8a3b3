"""The sessions: whether all can be read, which were put aside, and who has them open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tui_chat.cli.doctor.finding import Finding, note, ok, wrong
from tui_chat.store.locks import FileLock
from tui_chat.store.sessions import SessionStore

SUBJECT = "sessions"
_NAMED = 5
"""Files named one by one, at most."""


def check(folder: Path) -> Iterator[Finding]:
    """Read every session's head; nothing is mended, and nothing goes from the trash."""
    sessions = SessionStore(folder, trash_days=0).list(archived=None)
    broken = [each.problem for each in sessions if each.problem is not None]
    good = len(sessions) - len(broken)
    if good or not broken:
        yield ok(
            SUBJECT, f"{_count(good)} can be read." if good else "None yet; the first message makes one."
        )
    for problem in broken[:_NAMED]:
        remedy = (
            problem.remedy or f"Open it in the chat, which saves what can be saved; or move it from {folder}."
        )
        yield wrong(SUBJECT, problem.what, remedy)
    if len(broken) > _NAMED:
        yield wrong(
            SUBJECT, f"{len(broken) - _NAMED} more cannot be read.", "`tui-chat sessions list` names all."
        )
    aside = sum(1 for each in _files(folder / "quarantine"))
    if aside:
        what = f"{aside} damaged file{'s were' if aside > 1 else ' was'} put aside at some time."
        yield note(SUBJECT, what, f"Look at {folder / 'quarantine'}, and delete what you do not miss.")
    yield from _locks(folder)


def _locks(folder: Path) -> Iterator[Finding]:
    left = []
    for path in sorted(folder.glob("*.lock")):
        lock = FileLock(path)
        if lock.holder_lives():
            holder = lock.holder()
            yield ok(SUBJECT, f"{path.stem} is open in a terminal{f' (pid {holder.pid})' if holder else ''}.")
        else:
            left.append(path.stem)
    if left:
        locks = "1 lock" if len(left) == 1 else f"{len(left)} locks"
        what = f"Terminals that died left {locks}: {', '.join(left[:_NAMED])}."
        yield note(SUBJECT, what, "Nothing needs to be done: opening the session clears that away.")


def _files(folder: Path) -> Iterator[Path]:
    return (each for each in folder.glob("*") if each.is_file())


def _count(number: int) -> str:
    return "1 chat" if number == 1 else f"{number} chats"
