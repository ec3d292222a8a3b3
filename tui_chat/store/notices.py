"""The words for what can be wrong with a session."""

from __future__ import annotations

from pathlib import Path

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.store.locks import Holder


def taken(id: str) -> Problem:
    """A new session cannot have the name of an existing one."""
    return Problem(
        code=ProblemCode.SAVE_FAILED,
        what=f"A session called {id} exists already.",
        kept="It is untouched.",
        remedy="Start a new chat.",
    )


def locked(id: str, holder: Holder | None) -> Problem:
    """Somebody else may write, and we may not."""
    who = (
        f"process {holder.pid} on {holder.host} since {holder.since:%H:%M} UTC"
        if holder
        else "another terminal"
    )
    return Problem(
        code=ProblemCode.SESSION_LOCKED,
        what=f"Session {id} is open for writing in another place: {who}.",
        kept="Nothing was changed.",
        remedy="Follow it here, continue in that terminal, or fork it into a session of its own.",
    )


def read_only(folder: Path, error: OSError) -> Problem:
    """Sessions in this folder can be read and not written."""
    return Problem(
        code=ProblemCode.SAVE_FAILED,
        what=f"{folder} cannot be written: {error.strerror or error}.",
        kept="The session is open for reading.",
        remedy="Check the owner and permissions of that folder, or choose another sessions folder.",
        detail=str(error),
    )


def missing(file: Path) -> Problem:
    """There is no such session."""
    return Problem(
        code=ProblemCode.SESSION_MISSING,
        what=f"There is no session {file.stem} in {file.parent}.",
        remedy="Choose one from the list of sessions.",
    )


def unreadable(file: Path, error: OSError) -> Problem:
    """The file exists and the system does not let us read it, or it is a link."""
    return Problem(
        code=ProblemCode.SESSION_DAMAGED,
        what=f"{file.name} cannot be read: {error.strerror or error}.",
        kept="The file is untouched. Links are never followed.",
        remedy="Check its permissions, or choose another session.",
        detail=str(error),
    )


def newer(file: Path, error: Exception) -> Problem:
    """The file belongs to a later release."""
    return Problem(
        code=ProblemCode.SESSION_NEWER,
        what=f"{file.name} was written by a newer tui-chat ({error}).",
        kept="The file is untouched.",
        remedy="Update tui-chat to open it.",
    )


def damaged(file: Path, error: Exception) -> Problem:
    """The file is damaged and stays where it is, because it is not ours to move."""
    return Problem(
        code=ProblemCode.SESSION_DAMAGED,
        what=f"{file.name} is torn or no session.",
        kept="The file is untouched.",
        remedy="Open it where it can be written, and it is put in quarantine.",
        detail=str(error),
    )


def quarantined(file: Path, moved: Path, error: Exception) -> Problem:
    """Nothing could be read of a damaged file."""
    return Problem(
        code=ProblemCode.SESSION_DAMAGED,
        what=f"{file.name} is torn or no session, and no message could be read from it.",
        kept=f"The file is in {moved}.",
        remedy="Repair it there and move it back, or start a new chat.",
        detail=str(error),
    )


def rescued(file: Path, moved: Path, messages: int, error: Exception) -> Problem:
    """Part of a damaged file could be read."""
    return Problem(
        code=ProblemCode.SESSION_DAMAGED,
        what=f"{file.name} was damaged; its {messages} whole messages were recovered.",
        kept=f"The damaged file is in {moved}.",
        remedy="Go on here, or look in that file for what is missing.",
        detail=str(error),
    )


def conflict(file: Path, ours: Path) -> Problem:
    """Somebody wrote the file without the lock."""
    return Problem(
        code=ProblemCode.SAVE_FAILED,
        what=f"{file.name} was changed by another program while it was open here, and was not overwritten.",
        kept=f"This conversation is saved as {ours}.",
        remedy=f"Open the session {ours.stem} to go on with this one.",
    )


def journal_kept(journal: Path, why: str) -> Problem:
    """A journal could not be folded into its session."""
    return Problem(
        code=ProblemCode.JOURNAL_FAILED,
        what=f"A journal of an answer could not be added to its session: {why}.",
        kept=f"It is in {journal}.",
        remedy="Its text can be read with any editor.",
    )
