"""Has Ctrl-C reach the thread that reads lines, whichever thread the system hands the signal to."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading

_AGAIN_S = 0.05
"""A thread that was just about to wait when it was woken waits by then."""


class Nudges:
    """Wakes the main thread after each Ctrl-C.

    A thread that is being started may take a signal meant for the whole process. Python then notes it,
    but the main thread, waiting in the system for a key or for an answer, is not woken to see that note.
    """

    def __init__(self) -> None:
        """Begin to listen; to be called in the main thread."""
        self._heard, self._told = socket.socketpair()
        for end in (self._heard, self._told):
            end.setblocking(False)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        self._main = threading.main_thread()

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have `loop`, which runs in another thread, do the waking; to be called there."""
        loop.add_reader(self._heard, self._hear, loop)

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        if signal.SIGINT in self._heard.recv(64):
            self._nudge()
            loop.call_later(_AGAIN_S, self._nudge)

    def _nudge(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pthread_kill(self._main.ident or 0, signal.SIGUSR1)

    def close(self) -> None:
        """Listen no more; to be called in the main thread."""
        signal.set_wakeup_fd(-1)
        self._heard.close()
        self._told.close()
