"""Why a file cannot be imported."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from tui_chat.chat.model import Problem, ProblemCode

T = TypeVar("T")

_PLACED = re.compile(r"(?P<what>.*?) - at `\$(?P<place>.*)`", re.DOTALL)


class ImportFailedError(ValueError):
    """A file cannot be imported; `problem` names it, the place in it, and what was expected there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class MismatchError(ValueError):
    """Something at `place` of a file (such as ``[3].mapping``) is not what was `expected` there."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place}: {expected}")
        self.place = place
        self.expected = expected


def failed(name: str, what: str, remedy: str = "") -> ImportFailedError:
    """Say that the file called `name` cannot be imported."""
    return ImportFailedError(
        Problem(
            ProblemCode.BAD_REQUEST,
            f"{name} cannot be imported: {what}",
            kept="Nothing was imported.",
            remedy=remedy
            or "It takes JSON: a session of tui-chat, an export of ChatGPT, a list of messages, or Ollama's.",
        )
    )


def convert(raw: Any, type: type[T], place: str) -> T:
    """Return `raw` as a `type`.

    Raises:
        MismatchError: It is none; the place within it is added to `place`.
    """
    try:
        return msgspec.convert(raw, type, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        found = _PLACED.fullmatch(str(error))
        where = place + (found["place"] if found else "")
        what = (found["what"] if found else str(error)).replace("`", "")
        raise MismatchError(where, what[:1].lower() + what[1:]) from error
