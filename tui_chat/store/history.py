"""The prompts sent so far, for the up arrow: one file that every terminal appends to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tui_chat.chat.model import ProblemCode
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import make_folder, read_regular, sweep_temporaries, write_atomic, write_whole

KEPT = 1000
"""Entries that are read back."""

_FULL_BYTES = 1 << 20
"""Size from which the file is rewritten, if it then holds more than is kept."""

_LONGEST = 64 * 1024
"""Longest prompt that is remembered, in characters; a pasted file is no prompt to type again."""


class _Entry(msgspec.Struct, frozen=True):
    text: str
    at: datetime


class PromptHistory:
    """The last 1,000 prompts, oldest first, of all sessions and terminals."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[str]:
        """Return the prompts, oldest first, never the same twice in a row; torn lines are skipped."""
        return [entry.text for entry in self._entries()]

    def append(self, text: str) -> None:
        """Remember `text`, unless it is blank or very long.

        Raises:
            StoreError: The disk refused; what was remembered before is kept.
        """
        if not text.strip() or len(text) > _LONGEST:
            return
        clean = text.encode("utf-8", "replace").decode("utf-8")
        line = msgspec.json.encode(_Entry(clean, datetime.now(UTC))) + b"\n"
        try:
            make_folder(self._file.parent)
            with self._locked() as fd:
                size = os.fstat(fd).st_size
                write_whole(fd, (b"" if _ends_whole(fd, size) else b"\n") + line)
                if size + len(line) > _FULL_BYTES:
                    self._rewrite()
        except OSError as error:
            kept = "Earlier prompts are remembered."
            raise StoreError(
                disk_problem(ProblemCode.SAVE_FAILED, "remembering the prompt", self._file, error, kept=kept)
            ) from error

    def _entries(self) -> list[_Entry]:
        try:
            lines = read_regular(self._file)[0].splitlines()
        except OSError:
            return []
        entries: list[_Entry] = []
        for line in lines:
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                entry = msgspec.json.decode(line, type=_Entry)
                if not entries or entries[-1].text != entry.text:
                    entries.append(entry)
        return entries[-KEPT:]

    def _rewrite(self) -> None:
        """Keep half of the entries' share of the file, newest first, so that rewrites stay rare."""
        kept: list[bytes] = []
        room = _FULL_BYTES // 2
        for entry in reversed(self._entries()):
            line = msgspec.json.encode(entry) + b"\n"
            room -= len(line)
            if room < 0:
                break
            kept.append(line)
        sweep_temporaries(self._file.parent)
        write_atomic(self._file, b"".join(reversed(kept)))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file for appending under a lock that a rewrite respects."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(self._file, flags, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(fd), self._file.lstat()):
                    yield fd
                    return
            finally:
                os.close(fd)


def _ends_whole(fd: int, size: int) -> bool:
    return size == 0 or os.pread(fd, 1, size - 1) == b"\n"
