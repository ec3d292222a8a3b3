"""Sessions to store, and child processes to kill."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.wire.api import JournalHeader

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make_session(messages: int = 6, id: str = "talk", size: int = 80, **fields: object) -> Session:
    """A chat of questions and settled answers."""
    made: list[Message] = []
    for index in range(messages):
        is_answer = index % 2 == 1
        made.append(
            Message(
                id=f"m{index}",
                role=Role.ASSISTANT if is_answer else Role.USER,
                text=f'{index}: wörds "quoted" 茶 🍵\n' + "x" * size,
                created=START + timedelta(seconds=index),
                parent=made[-1].id if made else None,
                answer=Answer(model="some", finish=FinishReason.STOP) if is_answer else None,
            )
        )
    return Session(
        id=id,
        title="A talk",
        created=START,
        updated=START + timedelta(seconds=messages),
        leaf=made[-1].id if made else None,
        messages=tuple(made),
        **fields,  # type: ignore[arg-type]
    )


def asked(session: Session, answer_id: str = "answer") -> Session:
    """The same chat with one more question and the place of its answer."""
    question = Message(id="question", role=Role.USER, text="And now?", created=START, parent=session.leaf)
    place = Message(
        id=answer_id,
        role=Role.ASSISTANT,
        text="",
        created=START,
        parent="question",
        answer=Answer(model="some"),
    )
    fields = {name: getattr(session, name) for name in session.__struct_fields__}
    fields.update(messages=(*session.messages, question, place), leaf=answer_id)
    return Session(**fields)


def header(answer_id: str = "answer", session: str = "talk", **begun: str) -> JournalHeader:
    return JournalHeader(id=answer_id, session=session, started=START, answer=Answer(model="some"), **begun)


def die() -> None:
    """Be killed, as by the kernel."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], object]) -> int:
    """Run a function in a forked process; returns its exit code, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc(file=sys.stderr)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


_STEPS = ("open", "write", "fsync", "replace", "unlink", "ftruncate")


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that is killed (SIGKILL) just before its n-th change to the disk.

    Returns False once `work` has fewer steps than that and came to its end.
    """

    def doomed() -> None:
        left = step

        def guarded(call: Callable[..., object]) -> Callable[..., object]:
            def guard(*args: object, **kwargs: object) -> object:
                nonlocal left
                if left == 0:
                    die()
                left -= 1
                return call(*args, **kwargs)

            return guard

        for name in _STEPS:
            setattr(os, name, guarded(getattr(os, name)))
        work()

    code = in_child(doomed)
    assert code in {0, -signal.SIGKILL}, f"the child failed with {code}"
    return code != 0


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}
