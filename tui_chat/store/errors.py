"""What can go wrong with the disk, said for a person."""

from __future__ import annotations

import errno
from pathlib import Path

from tui_chat.chat.model import Problem, ProblemCode

_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


class StoreError(Exception):
    """Something on disk did not work; `problem` says what, what was kept, and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def disk_problem(code: ProblemCode, doing: str, path: Path, error: OSError, *, kept: str) -> Problem:
    """Describe `error`, met while `doing` something (such as "saving the session") to `path`."""
    reason, remedy = _reason_and_remedy(path, error)
    return Problem(
        code=code,
        what=f"{doing[0].upper()}{doing[1:]} failed: {reason}.",
        kept=kept,
        remedy=remedy,
        detail=f"{type(error).__name__}: {error}",
    )


def _reason_and_remedy(path: Path, error: OSError) -> tuple[str, str]:
    if error.errno in _FULL:
        return f"no space is left on the disk that holds {path.parent}", "Free some space and try again."
    if error.errno == errno.EFBIG:
        return (
            f"{path.name} would be larger than this system allows",
            "Raise the file size limit (ulimit -f).",
        )
    if error.errno in _DENIED:
        return f"{path.parent} may not be written", "Check the owner and permissions of that folder."
    if error.errno == errno.ENOENT:
        return f"{path} is not there any more", "Check that the folder still exists."
    return f"{path}: {error.strerror or error}", "Check that disk, then try again."
