"""A process that changes sessions at random and is killed at any moment: whatever it said was saved must be.

As a program (`python -m tests.kills FOLDER SESSION SEED`) it is the process: it performs acts on one session
and writes a line for each that is saved. `kill_at_random` is what kills it, and looks what is there.
"""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.acts import KINDS, do, some_act
from tui_chat.chat.acts import ActError, Send
from tui_chat.chat.model import Message, Session, Step
from tui_chat.chat.tree import ChatTree, check_tree
from tui_chat.store.sessions import SessionStore

ACTS_A_SESSION = 400
MOST_BETWEEN_KILLS = 60


class Saved(msgspec.Struct):
    """What one act left on disk: the leaf, what is there to undo, and every message that is new."""

    leaf: str | None
    steps: int
    new: dict[str, str]


@dataclass(frozen=True, slots=True)
class Toll:
    """What killing has cost: acts and kills in all, and what was not as it had been told."""

    acts: int
    kills: int
    lost: tuple[str, ...]


def act_on(folder: Path, id: str, seed: int) -> None:
    """Perform acts on a session for ever, saying after each that is on disk what it was."""
    store, dice = SessionStore(folder), random.Random(seed)
    now = datetime.now(UTC)
    if not (folder / f"{id}.json").exists():
        store.create(Session(id=id, created=now, updated=now, model="smol")).close()
    with store.open(id) as opened:
        tree = ChatTree(opened.session)
        known = {message.id for message in tree.session.messages}
        while True:
            number = dice.randrange(1000)
            doing = some_act(tree, dice.choice(KINDS), number) or Send(f"say {number}")
            try:
                do(tree, doing, f"answer {number} ".ljust(dice.randrange(20, 2000), "x"))
            except ActError:
                continue
            session = tree.session
            opened.save(session)
            new = {m.id: m.text for m in session.messages if m.id not in known}
            known |= new.keys()
            sys.stdout.buffer.write(msgspec.json.encode(Saved(session.leaf, len(session.steps), new)) + b"\n")
            sys.stdout.buffer.flush()


def kill_at_random(folder: Path, acts: int, seed: int) -> Toll:
    """Have so many acts done, killing whoever does them again and again; return what that cost."""
    dice = random.Random(seed)
    done, kills, lost = 0, 0, []
    while done < acts:
        name, told, on_it = f"session-{done:06d}", dict[str, str](), 0
        while on_it < ACTS_A_SESSION and done + on_it < acts:
            last = None
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.kills", str(folder), name, str(dice.randrange(1 << 30))],
                stdout=subprocess.PIPE,
            )
            assert process.stdout is not None
            for _ in range(dice.randrange(1, MOST_BETWEEN_KILLS)):
                last = msgspec.json.decode(process.stdout.readline(), type=Saved)
                told |= last.new
                on_it += 1
            process.kill()
            rest = process.stdout.read().splitlines()
            process.wait()
            for line in rest:  # it went on until the kill came; a torn line was not told
                try:
                    last = msgspec.json.decode(line, type=Saved)
                except msgspec.DecodeError:
                    break
                told |= last.new
                on_it += 1
            kills += 1
            lost += _missing(folder, name, told, last)
        done += on_it
    return Toll(done, kills, tuple(lost))


def _missing(folder: Path, id: str, told: dict[str, str], last: Saved | None) -> list[str]:
    """What is not on disk as it was told, or cannot be."""
    with SessionStore(folder).open(id) as opened:
        session = opened.session
        wrong = [f"{id}: {notice.what}" for notice in opened.notices]
    check_tree(session.messages)
    there = {message.id: message for message in session.messages}
    wrong += [f"{id}: {each} is gone" for each in told if each not in there]
    wrong += [
        f"{id}: {each} says something else" for each, text in told.items() if _differs(there.get(each), text)
    ]
    if session.leaf is not None and ChatTree(session).is_removed(session.leaf):
        wrong.append(f"{id}: the leaf {session.leaf} is removed")
    named = {each for step in (*session.steps, *session.undone) for each in _named(step)}
    wrong += [f"{id}: a step names {each}" for each in named - there.keys()]
    if last is not None and len(told) == len(there) and session.leaf != last.leaf:
        wrong.append(f"{id}: the leaf is {session.leaf}, not {last.leaf}")
    return wrong


def _named(step: Step) -> tuple[str, ...]:
    return (*step.added, *step.marks)


def _differs(message: Message | None, text: str) -> bool:
    return message is not None and message.said and message.text != text


if __name__ == "__main__":
    act_on(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
