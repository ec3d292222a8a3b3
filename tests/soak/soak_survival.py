"""Hours in minutes: one person chats on while workers, engines, terminals and lines die at random.

After every step each message ever sent is on disk exactly once, and nothing native is on the screen.
At the end nothing has grown that should not. `SOAK_MINUTES` says for how long, `SOAK_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable

import psutil

from tests.e2e.test_survival import NATIVE
from tests.e2e.tmux import Tmux
from tests.homes import Home, sessions_of
from tui_chat.chat.model import Role

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
SEED = int(os.environ.get("SOAK_SEED", time.time_ns() % 1_000_000))
PER_CHAT = 12
"""Messages after which a new chat is begun, so that the context does not fill."""
GROWTH_MIB = 40.0
"""What a process may grow by, once it is warm."""


class Soak:
    """A person at a terminal, and the accidents that happen to them."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self.home = home
        self.chance = chance
        self.sent: list[str] = []
        self.done: Counter[str] = Counter()
        self.weights: dict[str, list[float]] = {"engine": [], "worker": []}
        self.chat = Tmux()
        self.chat.wait("Ask anything")

    def run_for(self, seconds: float) -> None:
        """Do one thing after another, and look after each whether all is well."""
        deadline = time.monotonic() + seconds
        steps: list[Callable[[], None]] = [
            *(self.talk, self.talk, self.stop, self.queue, self.look_around),
            *(self.lose_worker, self.lose_engine, self.lose_terminal, self.lose_line, self.leave),
        ]
        while time.monotonic() < deadline:
            step = self.chance.choice(steps)
            self.done[step.__name__] += 1
            step()
            self.check(step.__name__)
            if len(self.sent) % PER_CHAT == PER_CHAT - 1:
                self.chat.keys("C-n")
                self.chat.wait("answers here")

    # What a person does

    def talk(self) -> None:
        self.say("Tell me about")
        self.settled()

    def stop(self) -> None:
        self.say("Write a long story about")
        self.begun()
        self.chat.keys("Escape")
        self.settled()

    def queue(self) -> None:
        self.say("Write a story about")
        self.say("And then about")
        self.settled()

    def look_around(self) -> None:
        self.say("Describe")
        for key in self.chance.choices(["PPage", "NPage", "BTab", "k", "j", "C-Up"], k=6):
            self.chat.keys(key)
        self.chat.resize(self.chance.randint(60, 160), self.chance.randint(15, 50))
        self.settled()
        self.chat.keys("BTab", "i", "C-u")
        self.chat.resize(120, 40)

    # What happens to them

    def lose_worker(self) -> None:
        self.say("Write a long story about")
        self.begun()
        if (worker := self.home.worker()) is not None:
            worker.kill()
        self.settled()

    def lose_engine(self) -> None:
        self.say("Write a long story about")
        if self.chance.random() < 0.5:
            self.begun()
        if (engine := self.home.engine()) is not None:
            engine.kill()
        self.settled()

    def lose_terminal(self) -> None:
        self.say("Write a long story about")
        if self.chance.random() < 0.7:
            self.begun()
        os.kill(self.chat.pid, signal.SIGKILL)
        self.chat.wait_exit()
        self.come_back()

    def lose_line(self) -> None:
        self.say("Write a long story about")
        self.begun()
        self.chat.hang_up()
        self.come_back()

    def leave(self) -> None:
        self.say("Write a long story about")
        self.chat.keys("C-q")
        self.chat.wait_exit()
        self.come_back()

    def come_back(self) -> None:
        with self.chat:
            pass
        self.chat = Tmux("--continue")
        self.chat.wait("Ask anything")
        self.settled()

    # Waiting and looking

    def say(self, what: str) -> None:
        text = f"{what} number {len(self.sent):05d}."
        self.chat.type(text)
        self.chat.wait(re.escape(text))
        self.chat.keys("Enter")
        self.chat.wait_until(lambda _: text in self.on_disk(), f"{text!r} on disk")
        self.sent.append(text)

    def begun(self) -> None:
        """Wait until the last message's answer says something, or is over already."""
        self.chat.wait_until(
            lambda _: any(b'"delta"' in f.read_bytes() for f in self._journals()) or self._settled(), "text"
        )

    def settled(self) -> None:
        self.chat.wait_until(lambda _: self._settled(), "every answer to settle")

    def _settled(self) -> bool:
        newest = sessions_of(self.home)[0]
        return not newest.queued and not any(m.in_flight for m in newest.messages) and not self._journals()

    def _journals(self) -> list:
        return list(self.home.paths.sessions.glob("*.journal"))

    def on_disk(self) -> list[str]:
        sessions = sessions_of(self.home)
        return [m.text for s in sessions for m in (*s.messages, *s.queued) if m.role is Role.USER]

    def check(self, after: str) -> None:
        assert sorted(self.on_disk()) == sorted(self.sent), f"after {after}"
        screen = self.chat.screen()
        assert not [word for word in NATIVE if word in screen], f"after {after}:\n{screen}"
        for name, found in (("engine", self.home.engine()), ("worker", self.home.worker())):
            if found is not None:
                self.weights[name].append(_weight(found))

    def report(self) -> str:
        lines = [f"seed {SEED}, {len(self.sent)} messages, {dict(self.done)}"]
        for name, weights in self.weights.items():
            shown = " ".join(f"{w:.0f}" for w in weights[:: max(1, len(weights) // 12)])
            lines.append(f"{name} MiB: {shown}")
        return "\n".join(lines)


def _weight(process: psutil.Process) -> float:
    """MiB of anonymous memory: the model's pages are the page cache's."""
    try:
        return process.memory_full_info().uss / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def test_nothing_is_lost_and_nothing_grows(home: Home) -> None:
    home.configure("[sampling]\nmax_tokens = 120\n")
    soak = Soak(home, random.Random(SEED))
    try:
        soak.run_for(MINUTES * 60)
    finally:
        print(soak.report())
        with soak.chat:
            pass
    assert list(home.paths.sessions.glob("*.journal")) == []
    assert not (home.paths.sessions / "quarantine").exists()
    assert not [f for f in home.paths.sessions.iterdir() if f.suffix not in {".json", ".lock"}]


def test_one_terminal_and_one_engine_stay_as_large_as_they_are(home: Home) -> None:
    home.configure("[sampling]\nmax_tokens = 60\n")
    soak = Soak(home, random.Random(SEED))
    terminal = psutil.Process(soak.chat.pid)
    sizes: list[tuple[float, ...]] = []
    handles: list[tuple[int, ...]] = []
    deadline = time.monotonic() + MINUTES * 60 / 4
    while time.monotonic() < deadline:
        for step in (soak.talk, soak.stop, soak.queue, soak.look_around):
            step()
            soak.check(step.__name__)
        soak.chat.keys("C-n")
        soak.chat.wait("answers here")
        engine, worker = home.engine(), home.worker()
        assert engine is not None
        assert worker is not None
        processes = (terminal, engine, worker)
        sizes.append(tuple(_weight(p) for p in processes))
        handles.append(tuple(p.num_fds() for p in processes))
    with soak.chat:
        pass
    print("MiB of terminal, engine, worker:", *(tuple(round(s) for s in size) for size in sizes))
    print("their open files:", *handles)
    warm = sizes[len(sizes) // 4]
    assert all(last - first < GROWTH_MIB for first, last in zip(warm, sizes[-1], strict=True))
    assert all(last <= first + 2 for first, last in zip(handles[1], handles[-1], strict=True))
