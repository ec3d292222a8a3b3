"""What of the text before the cursor asks for something to be offered."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

_FILE = re.compile(r"(?:^|\s)@(\S*)$")
_WORD = re.compile(r"^/([\w-]*)$")


class Kind(enum.Enum):
    """What is offered."""

    FILE = "file"
    COMMAND = "command"


class Asked(NamedTuple):
    """A beginning of a name, after its sign at column `start` of the line."""

    kind: Kind
    word: str
    start: int


def asked_by(before: str, *, first_line: bool) -> Asked | None:
    """Return what the line up to the cursor asks for, if it does: ``/`` only at the very beginning."""
    if first_line and (command := _WORD.match(before)):
        return Asked(Kind.COMMAND, command[1], 0)
    if file := _FILE.search(before):
        return Asked(Kind.FILE, file[1], file.start(1) - 1)
    return None
