"""A home folder for one test: everything tui-chat reads and writes is below it, and nothing outlives it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from tui_chat.backends.llamacpp.planning import BANDWIDTH, PROBES
from tui_chat.chat.model import Message, Role, Session
from tui_chat.client.launch import recorded_pid
from tui_chat.config.paths import Paths, resolve_paths
from tui_chat.config.settings import PathSettings
from tui_chat.wire.paths import STOP

ELSEWHERE = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN", "LLAMA_CACHE")
"""Variables that would lead out of a home: to the models, and the hub, of whoever runs the tests."""

FOUND_OUT = (BANDWIDTH, PROBES)
"""Files of the cache folder that are true of this machine, whoever's home they are in."""


@dataclass(frozen=True)
class Home:
    """A person's home folder: everything tui-chat reads and writes in one test is below `root`."""

    root: Path
    paths: Paths

    @property
    def config(self) -> Path:
        return self.root / "config" / "tui-chat" / "config.toml"

    def configure(self, config: str, models: str = "") -> None:
        """Write the settings: one thread for models, what `models` says of them, and `config` (other tables).

        llama.cpp's threads spin while they wait for each other; with a thread on every core and a
        test's terminal on one of them, an answer takes ten times as long. Unless it says otherwise, no
        servers are looked for: those that other tests run at the same time would be found.
        """
        alone = "" if "[detect]" in config else "\n[detect]\nenabled = false\n"
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(f"[models]\nthreads = 1\n{models}\n{config}\n{alone}")

    def run(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the real `tui-chat` to its end."""
        command = [sys.executable, "-m", "tui_chat", *arguments]
        return subprocess.run(command, text=True, capture_output=True, timeout=60, **options)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Run the real `tui-chat` beside us; SIGINT reaches it, unlike most that runs behind another."""
        return subprocess.Popen(
            [sys.executable, "-m", "tui_chat", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def stop(self) -> None:
        """Have the engine leave, as `tui-chat engine stop --force` does, but without a program for it."""
        if not self.paths.socket.exists():
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, contextlib.suppress(OSError):
            asking.settimeout(5)
            asking.connect(str(self.paths.socket))
            asking.sendall(b"POST %s?force=1 HTTP/1.1\r\nHost: engine\r\n\r\n" % STOP.encode())
            asking.recv(1 << 10)

    def ends(self) -> bool:
        """Stop the engine, also one that a terminal on its way out started anew; whether all have ended."""
        for _ in range(30):
            self.stop()
            if self.wait_for_end(1.0):
                return True
        return False

    def begin_with(self, folder: Path) -> None:
        """Take over what another home left in `folder`, so that it need not be found out again."""
        _copy(FOUND_OUT, folder, self.paths.cache)

    def leave_to(self, folder: Path) -> None:
        """Leave what was found out in `folder`."""
        _copy(FOUND_OUT, self.paths.cache, folder)

    def processes(self) -> list[psutil.Process]:
        """Every living process of ours that works in this home: engine, workers, terminals."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("XDG_STATE_HOME") == str(self.root / "state")
                if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue
        return found

    def wait_for_end(self, within_s: float = 5) -> bool:
        """Wait until no process works in this home any more; False if one does after `within_s` seconds.

        Not by `psutil.wait_procs`: that waits until process 1 has buried orphans, seconds after their end.
        """
        deadline = time.monotonic() + within_s
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def engine(self) -> psutil.Process | None:
        """The running engine: whoever has signed for that, and no process that only starts it, or is started.

        Between its birth and its own program, a child is called as its parent is.
        """
        pid = recorded_pid(self.paths.socket)
        if pid is None:
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if "tui_chat.engine" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def worker(self) -> psutil.Process | None:
        """The running worker of some model."""
        return self._running("tui_chat.backends.llamacpp.worker")

    def _running(self, module: str) -> psutil.Process | None:
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # it may end while it is looked at
                if module in process.cmdline():
                    return process
        return None


def make_home(root: Path, model: Path | None) -> Home:
    """Lay out an empty home, with the starter model in its models folder if given."""
    data = root / "data" / "tui-chat" / "models"
    data.mkdir(parents=True)
    (root / "run").mkdir(mode=0o700)
    home = Home(root, resolve_paths(PathSettings()))
    if model is not None:
        (data / model.name).symlink_to(model)
        home.configure("")
    return home


def _copy(names: Iterable[str], source: Path, target: Path) -> None:
    for name in names:
        if (source / name).is_file():
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


def sessions_of(home: Home) -> list[Session]:
    """Every session on disk, newest first, as a reader of the files finds it."""
    found = [msgspec.json.decode(f.read_bytes(), type=Session) for f in home.paths.sessions.glob("*.json")]
    return sorted(found, key=lambda session: session.updated, reverse=True)


def journals_of(home: Home) -> list[bytes]:
    """What is in the journals of answers that nobody has put into their sessions yet."""
    found = []
    for journal in home.paths.sessions.glob("*.journal"):
        with contextlib.suppress(FileNotFoundError):  # it was just put there
            found.append(journal.read_bytes())
    return found


def answers_of(session: Session) -> list[Message]:
    """The assistant's messages, oldest first."""
    return [m for m in session.messages if m.role is Role.ASSISTANT]
