"""What can be wrong with a conversation that its person should know, in a person's words."""

from __future__ import annotations

from collections.abc import Sequence

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


def blind(
    names: Sequence[str], model: str, seeing: Sequence[str], why: str, *, waits: bool = False
) -> Problem:
    """Say that a message with these pictures is for a model that cannot see, and which ones here can."""
    can = f"Models here that can: {listed(seeing)}." if seeing else "No model here can."
    return Problem(
        ProblemCode.PICTURE_UNSEEN,
        f"{model} cannot be shown {listed(names)}: {why}. {can}",
        kept="Nothing was sent; the message waits with what is attached."
        if waits
        else "Nothing was sent; your text and what is attached are still in the input.",
        remedy="Take the picture out of the attachments"
        + (", or choose a model that can see." if seeing else ", or add a server that has a model that can."),
    )


def unseen(names: Sequence[str], model: str) -> Problem | None:
    """Say that a conversation goes to a model that does not see these pictures of it, if there are any."""
    if not names:
        return None
    return Problem(
        ProblemCode.PICTURE_LEFT_OUT,
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} not shown to {model}: it cannot see pictures.",
        kept="It is told the name in the picture's place."
        if len(names) == 1
        else "It is told the names in the pictures' places.",
        remedy="To have it seen, choose a model that can, and answer again.",
    )


def gone(name: str, why: str) -> Problem:
    """Say that a picture cannot be shown to any model any more, and `why`."""
    return Problem(
        ProblemCode.PICTURE_GONE,
        f"{name} is not shown to the model: {why}.",
        kept="The model is told its name; everything else is sent.",
        remedy="To have it seen, edit the message and attach the file again.",
    )


def listed(names: Sequence[str], most: int = 5) -> str:
    """Write names one after the other, and how many more there are than `most`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def fell_back(what: str, fallback: str, *, partial: bool) -> Problem:
    """Say that `fallback` answers from here on, because of `what` happened to the model before."""
    return Problem(
        ProblemCode.FELL_BACK,
        f"{what} {fallback} answers instead, from here on.",
        kept="What there was of the answer is kept beside the new one." if partial else "",
    )
