"""What can be wrong with a conversation that its person should know, in a person's words."""

from __future__ import annotations

from tui_chat.chat.model import Problem, ProblemCode


def read_only(holder: str) -> Problem:
    """Say that another terminal, `holder`, writes here."""
    return Problem(
        ProblemCode.SESSION_LOCKED,
        f"This chat is open in another terminal ({holder}); here it can only be read.",
        kept="Your text is still in the input.",
        remedy="Take it over, or fork it to go on in a copy of your own.",
    )


def held_on(holder: str) -> Problem:
    """Say that another terminal, `holder`, was asked to let go and did not."""
    return Problem(
        ProblemCode.SESSION_LOCKED,
        f"The other terminal ({holder}) did not let go of this chat.",
        kept="Everything is as it was, and you still follow live.",
        remedy="Close it where it runs, or fork the chat to go on in a copy of your own.",
    )


def no_model() -> Problem:
    """Say that nobody is there to answer."""
    return Problem(
        ProblemCode.NO_MODEL,
        "No model is chosen.",
        kept="Your text is still in the input.",
        remedy="Choose a model, or get the starter model.",
    )


def kept_nowhere() -> Problem:
    """Say that a copy of this chat would be kept, and so cannot be made."""
    return Problem(
        ProblemCode.BAD_REQUEST,
        "This chat is kept nowhere, and so it cannot be forked into a session of its own.",
        kept="It is as it was.",
        remedy="Branches within it can be made: edit a message, or have an answer written once more.",
    )


def fell_back(what: str, fallback: str, *, partial: bool) -> Problem:
    """Say that `fallback` answers from here on, because of `what` happened to the model before."""
    return Problem(
        ProblemCode.FELL_BACK,
        f"{what} {fallback} answers instead, from here on.",
        kept="What there was of the answer is kept beside the new one." if partial else "",
    )
