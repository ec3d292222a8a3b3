"""A circuit breaker per server: one that does not answer is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui_chat.backends.servers.failures import ServerError
from tui_chat.chat.model import Problem, ProblemCode

FAILURES = 3
"""So many in a row, and the server is left alone."""
SHORTEST_S, LONGEST_S = 2.0, 60.0


class Breaker:
    """Closed while a server is well; open for a time that doubles with each failed trial."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause_s = SHORTEST_S
        self._open_until: float | None = None
        self._why = ""
        self._remedy = ""

    @property
    def next_try_s(self) -> float:
        """Seconds until the server is asked again; 0 when it is asked at any time."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    def check(self, server: str) -> None:
        """Let a request pass, or say why not.

        Raises:
            ServerError: The server failed too often lately, and its pause is not over.
        """
        if (left := self.next_try_s) > 0:
            raise ServerError(
                Problem(
                    ProblemCode.SERVER_UNREACHABLE,
                    f"{self._why} That was {self._failures} times in a row; {server} is left alone for "
                    f"another {left:.0f} s.",
                    kept="Nothing was sent, and your message is kept.",
                    remedy=self._remedy,
                )
            )

    def succeeded(self) -> None:
        """It answered."""
        self._failures, self._pause_s, self._open_until = 0, SHORTEST_S, None

    def failed(self, problem: Problem) -> None:
        """It did not, and this is why."""
        self._failures += 1
        self._why, self._remedy = problem.what, problem.remedy
        if self._failures >= FAILURES:
            self._open_until = self._clock() + self._pause_s
            self._pause_s = min(LONGEST_S, self._pause_s * 2)

    def reset(self) -> None:
        """A person asked for it: let the next request pass, whatever was before."""
        self._open_until = None
