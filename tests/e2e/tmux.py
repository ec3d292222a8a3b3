"""The real `tui-chat` in a tmux of its own: press keys, wait for text, look at the screen."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

TUI_CHAT = str(Path(sys.executable).with_name("tui-chat"))
OPTIONS = "set -g remain-on-exit on\nset -g set-clipboard on\n"

PATIENCE_S = 90.0
"""How long a wait may take; conditions are met in far less, but two busy cores can be slow."""
LOOK_S = 0.06
"""How often to look: each look runs a program, on processors that the one looked at needs."""


class Tmux:
    """One tmux server with one window running one program: `tui-chat` with `arguments`, or `program`."""

    def __init__(
        self,
        *arguments: str,
        program: Sequence[str] = (TUI_CHAT,),
        columns: int = 120,
        rows: int = 40,
        term: str = "",
    ) -> None:
        self._socket = f"tc{uuid.uuid4().hex[:8]}"
        self._left: int | None = None
        command = shlex.join([*program, *arguments])
        started = f"{f'TERM={term} ' if term else ''}{command}"
        # Options come from a file, because setting one later resizes a window that nobody looks at.
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write(OPTIONS + f"set -g default-size {columns}x{rows}\n")
            config.flush()
            session = ("new-session", "-d", "-s", "m", "-x", str(columns), "-y", str(rows))
            self._tmux("-f", config.name, *session, "-e", "COLORTERM=truecolor", started)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._left is None:
            self.hang_up()
        deadline = time.monotonic() + PATIENCE_S
        while _is_running(self._left):
            assert time.monotonic() < deadline, "the program outlives its terminal"
            time.sleep(0.01)

    def _tmux(self, *arguments: str, **options: object) -> str:
        command = ["tmux", "-L", self._socket, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, **options)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys by their tmux names: Enter, Escape, F2, C-q, Up …"""
        self._tmux("send-keys", "-t", "m", *names)

    def type(self, text: str) -> None:
        """Type text literally."""
        self._tmux("send-keys", "-t", "m", "-l", text)

    def paste(self, text: str) -> None:
        """Paste as a terminal does, bracketed."""
        self._tmux("load-buffer", "-", input=text)
        self._tmux("paste-buffer", "-p", "-d", "-t", "m")

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        self._tmux("resize-window", "-t", "m", "-x", str(columns), "-y", str(rows))

    @property
    def socket(self) -> str:
        """The name of the server's socket, for other clients."""
        return self._socket

    def option(self, name: str, value: str) -> None:
        """Set an option of the server."""
        self._tmux("set-option", "-g", name, value)

    def screen(self) -> str:
        """What a person sees, without colours."""
        return self._tmux("capture-pane", "-p", "-t", "m")

    def clipboard(self) -> str:
        """What was last copied into tmux' own buffer."""
        done = subprocess.run(["tmux", "-L", self._socket, "show-buffer"], capture_output=True, text=True)
        return done.stdout

    def pane(self, what: str) -> str:
        """A fact about the pane, such as `pane_pid`, `pane_dead` or `alternate_on`."""
        return self._tmux("display-message", "-p", "-t", "m", f"#{{{what}}}").strip()

    @property
    def pid(self) -> int:
        """The process of the program."""
        return int(self.pane("pane_pid"))

    def hang_up(self) -> None:
        """Close the window as a dropped line does: the terminal goes away, SIGHUP included."""
        self._left = self.pid
        self._tmux("kill-server")

    def wait(self, wanted: str, patience: float = PATIENCE_S) -> str:
        """Wait until `wanted` (a regular expression) is on the screen; returns the screen."""
        return self.wait_until(lambda screen: re.search(wanted, screen) is not None, repr(wanted), patience)

    def wait_gone(self, unwanted: str, patience: float = PATIENCE_S) -> str:
        """Wait until `unwanted` (a regular expression) is off the screen; returns the screen."""
        return self.wait_until(lambda screen: not re.search(unwanted, screen), f"no {unwanted!r}", patience)

    def wait_until(
        self, test: Callable[[str], bool], what: str = "the condition", patience: float = PATIENCE_S
    ) -> str:
        """Wait until `test` accepts the screen; returns it. Fails showing the screen."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            screen = self.screen()
            if test(screen):
                return screen
            time.sleep(LOOK_S)
        raise AssertionError(f"waited {patience:.0f} s for {what}; on the screen is:\n{screen}")

    def wait_exit(self) -> None:
        """Wait until the program has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while self.pane("pane_dead") != "1":
            assert time.monotonic() < deadline, f"it did not end:\n{self.screen()}"
            time.sleep(LOOK_S)


def _is_running(pid: int | None) -> bool:
    """Whether a process still does anything; nobody may have buried it yet."""
    try:
        return pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
