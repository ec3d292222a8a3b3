"""What can keep a model from being loaded, changed or unloaded, in a person's words."""

from __future__ import annotations

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.api import ModelInfo


def no_room_beside(found: ModelInfo) -> Problem:
    """Say that a model does not fit without disturbing anybody."""
    return Problem(ProblemCode.OUT_OF_MEMORY, f"There is no room for all of {found.id} beside what is there.")


def given_up(found: ModelInfo) -> Problem:
    """Say that somebody stopped a load."""
    return Problem(
        ProblemCode.LOAD_FAILED,
        f"Loading {found.id} was stopped.",
        kept="Nothing of it is in memory.",
        remedy="Send again to load it, or choose another model.",
    )


def answering(found: ModelInfo) -> Problem:
    """Say that a model cannot be changed or unloaded now."""
    return Problem(
        ProblemCode.BAD_REQUEST,
        f"{found.id} is answering.",
        kept="It goes on answering as it is.",
        remedy="Stop the answer first, or wait for its end.",
    )
