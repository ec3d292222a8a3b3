"""What can go wrong between a terminal and the engine."""

from __future__ import annotations

from tui_chat.chat.model import Problem


class EngineError(Exception):
    """The engine refused, or cannot be reached; `problem` says what happened, for a person."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class EngineGoneError(EngineError):
    """The engine is not there any more, or does not know the generation asked for."""
