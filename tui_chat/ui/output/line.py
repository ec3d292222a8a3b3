"""How quickly the line to the terminal takes what is written, judged by when the terminal answers: pure."""

from __future__ import annotations

from collections import deque

SLOW = 80_000.0
"""Bytes a second below which a line is slow: 0.64 Mbit/s."""

QUICK = 200_000.0
"""Bytes a second above which a slow line has become a quick one."""

TELLING = 1000
"""Bytes from which on the time they took says something."""

IN_A_ROW = 4
"""How many measurements must agree: on a busy machine single ones are late."""

UNANSWERED_S = 5.0
"""After this time an answer is no longer waited for, and the terminal not asked again."""

ASK_EVERY_S = 0.1
GREET_EVERY_S = 15.0

SLICE = 1200
"""Bytes written at once on a slow line, so that what is typed never waits long behind them."""

AHEAD = 16_000
"""Bytes that may be under way on a line about which nothing is known yet."""

CAUTIOUS = 24_000.0
"""Bytes a second on a line that is said to be slow and was not measured."""

BLOCKED_S = 0.03
CALM_S = 30.0
"""On a terminal that never answers: a write this long was held up, and so long after one none is."""


class Line:
    """What is known of a line. Times are seconds of one clock.

    Args:
        forced: Whether it is to be taken as slow, or as quick; None measures.
    """

    def __init__(self, forced: bool | None = None) -> None:
        self.forced = forced
        self._measured_slow = False
        self._rates: deque[float] = deque(maxlen=IN_A_ROW)
        self._rate: float | None = None
        self._asked: tuple[float, int] | None = None
        self._asked_last = float("-inf")
        self._heard = float("-inf")
        self._silent = False
        self._answers = False
        self._greeted = float("-inf")
        self._ways: deque[float] = deque(maxlen=3)
        self._unasked = 0
        self._next = 0.0
        self._blocked_last = float("-inf")

    @property
    def slow(self) -> bool:
        """Whether the line is slow, or to be taken as slow."""
        return self._measured_slow if self.forced is None else self.forced

    @property
    def answers(self) -> bool:
        """Whether the terminal has answered and is still believed to."""
        return self._answers and not self._silent

    @property
    def rate(self) -> float:
        """Bytes a second that the line takes, as far as is known."""
        return self._rate or (CAUTIOUS if self.slow else float("inf"))

    @property
    def slice(self) -> int | None:
        """How many bytes may be written at once."""
        return SLICE if self.slow else None

    def asks(self, now: float, size: int) -> bool:
        """Whether the next `size` bytes should end with a question: the answer tells when they were read."""
        if self._asked is not None and now - self._asked[0] > UNANSWERED_S:
            self._asked, self._silent = None, True
        due = now - self._asked_last >= (0 if self.slow else ASK_EVERY_S)
        return self._asked is None and not self._silent and self._answers and size >= TELLING and due

    def greets(self, now: float) -> bool:
        """Whether the next bytes should begin with a question: how long the mere way takes."""
        first = self._asked_last == float("-inf")
        return first or (self.answers and self._asked is None and now - self._greeted > GREET_EVERY_S)

    def wait(self, now: float) -> float:
        """Seconds until more should be written."""
        if self.slow:
            return self._next - now
        if self._asked is not None and self._answers and self._unasked > AHEAD:
            return self._asked[0] + 1.0 - now
        return 0.0

    def wrote(self, began: float, ended: float, size: int, *, asked: int | None) -> None:
        """Take note of bytes that were written.

        Args:
            began: When that began.
            ended: When the last of them was taken from us.
            size: How many they were.
            asked: How many came before a question that was among them, if one was.
        """
        self._next = max(self._next, began) + size / self.rate
        self._unasked += size
        if asked is not None:
            self._asked, self._asked_last, self._unasked = (began, asked), began, size - asked
            if not asked:
                self._greeted = began
        if not self._answers:
            if ended - began >= BLOCKED_S and size >= TELLING:
                self._blocked_last = ended
                self._learn(size / (ended - began))
            elif self._measured_slow and ended - self._blocked_last > CALM_S:
                self._judge(slow=False)

    def answered(self, now: float) -> None:
        """Take note that the terminal has answered."""
        if self._asked is None:
            return
        began, size = self._asked
        self._asked, self._answers, self._unasked = None, True, 0
        took = now - began
        if not size or took < min(self._ways, default=0):
            self._ways.append(took)
        drained = now - max(began + min(self._ways, default=took), self._heard)
        self._heard = now
        if size >= TELLING:
            self._learn(size / max(drained, 1e-4))

    def begin_anew(self) -> None:
        """Forget what cannot be true any more: there may be another terminal at the other end."""
        self._asked, self._silent, self._answers = None, False, False
        self._asked_last = self._heard = float("-inf")
        self._rates.clear()
        self._ways.clear()

    def _learn(self, rate: float) -> None:
        self._rates.append(rate)
        self._rate = rate if self._rate is None else 0.7 * self._rate + 0.3 * rate
        if len(self._rates) == IN_A_ROW:
            if not self._measured_slow and max(self._rates) < SLOW:
                self._judge(slow=True)
            elif self._measured_slow and min(self._rates) > QUICK:
                self._judge(slow=False)

    def _judge(self, *, slow: bool) -> None:
        self._measured_slow = slow
        self._rates.clear()
