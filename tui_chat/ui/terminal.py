"""What we ask of the terminal beyond what Textual asks, and how we leave it when we are told to go."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping

TELL_SHIFT_ENTER = "\x1b[>4;1m"
"""xterm's modifyOtherKeys: tmux, which ignores the kitty protocol, then tells shift+enter from enter.

Mode 1, not 2: mode 2 also rewrites keys that need no help, such as ctrl+c.
"""
TELL_SHIFT_ENTER_NO_MORE = "\x1b[>4;0m"


def wants_modified_keys(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether this terminal is one that needs `TELL_SHIFT_ENTER`."""
    return bool((os.environ if environ is None else environ).get("TMUX"))


def leave_on_signals(leave: Callable[[], None]) -> None:
    """Call `leave` when the process is told to end, so that the terminal is restored first.

    Without this, SIGTERM and SIGHUP end Textual with the alternate screen and the mouse still on.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, leave)
