"""What we ask of the terminal beyond what Textual asks, and how we leave it when we are told to go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping

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


def leave_on_signals(leave: Callable[[], None]) -> None:
    """Call `leave` when the process is told to end, so that the terminal is restored first.

    Without this, SIGTERM and SIGHUP end Textual with the alternate screen and the mouse still on.
    """
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, leave)
    loop.add_signal_handler(signal.SIGHUP, _hung_up, leave)


GRACE_S = 2.0
"""How long a terminal that is gone may keep us."""


def _hung_up(leave: Callable[[], None]) -> None:
    """Leave, and see to it: Textual waits forever for a writer thread that died of the closed terminal.

    Nothing is lost by that: every message is on disk before it is sent, and answers are the engine's.
    """
    watchdog = threading.Timer(GRACE_S, os._exit, (128 + signal.SIGHUP,))
    watchdog.daemon = True
    watchdog.start()
    leave()
