"""Files that a person names: written whole or not at all, and read only as far as anybody wants to."""

from __future__ import annotations

from pathlib import Path

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import write_atomic


def write_document(path: Path, text: str, *, overwrite: bool = False) -> int:
    """Write `text` to `path`; return its bytes.

    Raises:
        FileExistsError: There is something at `path`, and it is not to be overwritten.
        StoreError: It cannot be written; what was there still is.
    """
    data = text.encode()
    try:
        if path.is_dir():
            what, remedy = f"{path} is a folder.", "Name a file in it."
            raise StoreError(Problem(ProblemCode.BAD_REQUEST, what, remedy=remedy))
        if not overwrite and path.exists():
            raise FileExistsError(path)
        write_atomic(path, data)
    except FileExistsError:
        raise
    except OSError as error:
        kept = "The chat is as it was."
        problem = disk_problem(ProblemCode.SAVE_FAILED, "writing the file", path, error, kept=kept)
        raise StoreError(problem) from error
    return len(data)


def read_document(path: Path, most: int) -> bytes:
    """Return what is in `path`, or its first bytes: one more than `most` shows that it is too large.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror or error}."
        raise StoreError(
            Problem(ProblemCode.BAD_REQUEST, what, kept="Nothing was written.", remedy="Check its name.")
        ) from error
