"""How far a download is, told often enough to watch and seldom enough to cost nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

EVERY_S = 0.05
STEPS = 100
"""Parts of the whole that are told of however quickly they come: a line may stall after any of them."""


class FetchError(Exception):
    """Fetching did not work; the text is one sentence for a person, `detail` what a tool said."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(what)
        self.detail = detail


class FetchCancelledError(FetchError):
    """Somebody asked to stop."""


class Progress:
    """Passes (bytes done, bytes in all, stage) on, at 20 Hz or by hundredths; stops the work if cancelled."""

    def __init__(self, listener: Callable[[int, int, str], None], cancel: threading.Event) -> None:
        self._listener = listener
        self._cancel = cancel
        self._stage = ""
        self._told = float("-inf")
        self._done = 0

    def tell(self, done: int, total: int, stage: str) -> None:
        """Report. Raises `FetchCancelledError` when the work is to stop."""
        self.check()
        now = monotonic()
        much = done == total or (done - self._done) * STEPS >= total
        if much or stage != self._stage or now - self._told >= EVERY_S:
            self._stage, self._told, self._done = stage, now, done
            self._listener(done, total, stage)

    def check(self) -> None:
        """Raise `FetchCancelledError` when the work is to stop."""
        if self._cancel.is_set():
            raise FetchCancelledError("Stopped.")

    def wait(self, seconds: float) -> None:
        """Wait, unless cancelled."""
        self._cancel.wait(seconds)
        self.check()
