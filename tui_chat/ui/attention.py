"""What the window's title says, and which answers have ended that somebody may be waiting for: pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """What is on the screen.

    Attributes:
        session: The id of the session.
        title: Its title, empty for a new one.
        ephemeral: Whether nothing of it is kept.
        answer: The id of the answer in flight, if there is one.
        since: When that was asked for (`monotonic`).
    """

    session: str
    title: str
    ephemeral: bool = False
    answer: str | None = None
    since: float = 0.0


def window_title(sight: Sight) -> str:
    """Say which session this is and whether it answers; of one that is kept nowhere, not which."""
    name = "" if sight.ephemeral else sight.title
    return " · ".join(part for part in ("answering" if sight.answer else "", name, "tui-chat") if part)


class Attention:
    """Follows what is on the screen and finds out when a long answer has ended.

    Args:
        after_s: How many seconds make an answer a long one.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._sight: Sight | None = None

    def ended(self, sight: Sight, now: float) -> bool:
        """Whether a long answer of the session that is still on the screen has just ended."""
        before, self._sight = self._sight, sight
        if before is None or before.answer is None or before.session != sight.session:
            return False
        return sight.answer is None and now - before.since >= self._after_s
