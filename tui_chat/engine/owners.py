"""Whose conversation an answer belongs to, for what models hold and know by the answer's id alone."""

from __future__ import annotations

from tui_chat.memory.parkfile import ParkLabel

_REMEMBERED = 4096
"""Answers; what a model holds in memory is of the last few."""


class Owners:
    """Sessions by answer, of those that models were lately made ready for."""

    def __init__(self) -> None:
        self._sessions: dict[str, str] = {}

    def note(self, label: ParkLabel) -> None:
        """Take note of a conversation that a model is about to read, or holds again."""
        if label.answer is None or label.session is None:
            return
        self._sessions.pop(label.answer, None)
        self._sessions[label.answer] = label.session
        if len(self._sessions) > _REMEMBERED:
            del self._sessions[next(iter(self._sessions))]

    def of(self, answer: str) -> str | None:
        """The session that `answer` belongs to, if it has one and is remembered."""
        return self._sessions.get(answer)
