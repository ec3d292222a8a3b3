"""A line of JSON for every answer that an engine gave, in files that make room for newer ones."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from tui_chat.chat.model import Answer
from tui_chat.store.files import make_folder, read_regular

log = logging.getLogger(__name__)

FILE = "answers.jsonl"
FILE_BYTES = 8 << 20
"""Some 8,000 answers; a full file is kept as ``answers.jsonl.1``, and so on."""
KEPT = 4
"""Full files that are kept."""


class AnswerLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer.

    Attributes:
        at: When it was over.
        id: Of the message that it is.
        session: Where it is; None for one that belongs nowhere.
        prompt, text: What was asked and answered, only where the user wants that logged.
    """

    at: datetime
    id: str
    session: str | None = None
    answer: Answer
    prompt: str | None = None
    text: str | None = None


class AnswerLog:
    """Appends lines. A disk that refuses is told of once in the engine's log, and costs no answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handler: _Handler | None = None
        self._refused = False

    def append(self, line: AnswerLine) -> None:
        """Write one line; blocks as long as the disk does."""
        data = msgspec.json.encode(line).decode()
        try:
            if self._handler is None:
                make_folder(self._folder)
                self._handler = _Handler(
                    self._folder / FILE, maxBytes=FILE_BYTES, backupCount=KEPT, encoding="utf-8"
                )
            self._handler.emit(logging.makeLogRecord({"msg": data}))
        except OSError as error:
            if not self._refused:
                log.warning("answers cannot be logged in %s: %s", self._folder, error)
            self._refused = True
        else:
            self._refused = False

    def close(self) -> None:
        """Close the file."""
        if self._handler is not None:
            with suppress(OSError):  # a disk that is full was told of before
                self._handler.close()


class _Handler(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as logging calls it
        """Leave what went wrong to whoever appends; this is called where it is being handled."""
        raise


class Found(msgspec.Struct, frozen=True):
    """Lines of a log, oldest first, and how many there were that nobody can read."""

    lines: tuple[AnswerLine, ...]
    unreadable: int = 0


def read_answers(folder: Path, files: int = KEPT + 1) -> Found:
    """Read the log in `folder`, or only its newest `files`.

    Raises:
        OSError: A file is there and cannot be read.
    """
    names = [FILE, *(f"{FILE}.{number}" for number in range(1, KEPT + 1))][:files]
    lines: list[AnswerLine] = []
    unreadable = 0
    for name in reversed(names):
        for line in _lines(folder / name):
            if line is None:
                unreadable += 1
            else:
                lines.append(line)
    return Found(tuple(lines), unreadable)


def _lines(file: Path) -> Iterator[AnswerLine | None]:
    decoder = msgspec.json.Decoder(AnswerLine)
    try:
        data, _ = read_regular(file)
    except FileNotFoundError:
        return
    for line in data.splitlines():
        if line.strip():
            try:
                yield decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield None
