"""What we ask of the terminal beyond what Textual asks, and how we leave it when we are told to go."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
import termios
from collections.abc import Callable, Mapping
from types import FrameType

TELL_SHIFT_ENTER = "\x1b[>4;1m"
"""xterm's modifyOtherKeys: tmux, which ignores the kitty protocol, then tells shift+enter from enter.

Mode 1, not 2: mode 2 also rewrites keys that need no help, such as ctrl+c.
"""
TELL_SHIFT_ENTER_NO_MORE = "\x1b[>4;0m"


def wants_modified_keys(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether this terminal is one that needs `TELL_SHIFT_ENTER`."""
    return bool((os.environ if environ is None else environ).get("TMUX"))


def give_keys_back() -> None:
    """Undo `TELL_SHIFT_ENTER` once the app has ended; its own writer may be gone before its last event."""
    if wants_modified_keys() and sys.__stderr__ is not None:
        with contextlib.suppress(OSError):  # the terminal may be gone too
            sys.__stderr__.write(TELL_SHIFT_ENTER_NO_MORE)
            sys.__stderr__.flush()


def has_job_control() -> bool:
    """Whether there is a shell that takes over when we are stopped, and can continue us."""
    import psutil

    try:
        parent = psutil.Process(os.getpgrp()).ppid()
        return parent > 0 and os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except (psutil.Error, OSError):
        return False


GRACE_S = 4.0
"""Seconds that a terminal which takes nothing any more may keep us."""

HUNG_UP_GRACE_S = 1.0
"""The same where there is no terminal any more: nothing can be restored, and another one may wait for us."""

LEAVE_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def leave_on_signals(leave: Callable[[int], None]) -> None:
    """Call `leave` with the exit status when the process is told to end, so that the terminal is restored.

    Without this, SIGTERM and SIGHUP end Textual with the alternate screen and the mouse still on.
    """
    loop = asyncio.get_running_loop()

    def told_to_leave(number: int, frame: FrameType | None) -> None:
        # The kernel sees to it that we go: Textual waits forever for a terminal that takes nothing any
        # more, and for a writer thread that died of it; then the loop never comes to `leave`. Nothing
        # is lost by that: every message is on disk before it is sent, and answers are the engine's.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, HUNG_UP_GRACE_S if _is_hung_up() else GRACE_S)
        loop.call_soon_threadsafe(leave, 128 + number)

    for number in LEAVE_ON:  # not by the loop's own handlers, which run only when the loop does
        signal.signal(number, told_to_leave)


def _is_hung_up() -> bool:
    """Whether the other end of our terminal is gone, and not only silent."""
    try:
        termios.tcgetattr(sys.__stdin__)  # type: ignore[arg-type]
    except termios.error as error:
        return bool(error.args[0] == errno.EIO)
    except (OSError, ValueError, TypeError):
        return False  # never was one
    return False


def say_why_we_left(status: int) -> None:
    """Tell the person at a terminal that was taken over why it is empty, if there still is one."""
    if status == 128 + signal.SIGHUP and sys.__stderr__ is not None:
        with contextlib.suppress(OSError):
            sys.__stderr__.write(
                "tui-chat: this terminal was told to hang up, as when another one takes the chat over. "
                "Everything is kept: tui-chat --continue\n"
            )
            sys.__stderr__.flush()


def erases(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal erases a part of a line, and leaves it in the colour that is in force.

    VT100 and GNU screen do not; whatever is called so inside tmux is tmux, which does.
    """
    return bool(environ.get("TMUX")) or not environ.get("TERM", "").startswith(("vt", "screen", "dumb"))
