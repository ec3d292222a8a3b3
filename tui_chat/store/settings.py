"""The settings file on disk: one key at a time is changed in it, and nothing else, at one blow."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.editing import EditError, with_value, without
from tui_chat.config.reading import BrokenError, decode
from tui_chat.config.schema import KeyPath, ValueRefusedError, check_at
from tui_chat.config.template import template
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import make_folder, sweep_temporaries, sync_folder, write_atomic

_MARK = b"\xef\xbb\xbf"
"""What some editors begin a file of UTF-8 with."""
_KEPT = "The file is as it was."


@dataclass(frozen=True, slots=True)
class Changed:
    """What was in the file before a change, None without a file, and what is in it now."""

    before: bytes | None
    after: bytes | None


class SettingsFile:
    """One settings file; where it is a link, what it leads to is changed and the link stays."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._target = Path(os.path.realpath(file))

    def read(self) -> bytes | None:
        """Return what is in it, None if it is not there.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            return self._target.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                disk_problem(
                    ProblemCode.CONFIG_INVALID, "reading the settings", self._file, error, kept=_KEPT
                )
            ) from error

    def set(self, path: KeyPath, value: Any, seen: Changed | None = None) -> Changed:
        """Say `value` at `path`.

        Args:
            path: Of a setting, or of an entry in a setting's table.
            value: In the file's terms.
            seen: With this, only where its `after` is still what is in the file.

        Raises:
            StoreError: It may not be said, the file is broken or was changed meanwhile, or the disk refused.
        """
        try:
            check_at(path, value)
        except ValueRefusedError as refused:
            raise StoreError(
                _refused(f"{str(refused)[0].upper()}{str(refused)[1:]}.", "Give it another value.")
            ) from refused
        return self._edit(lambda text: with_value(text, path, value), seen)

    def reset(self, path: KeyPath, seen: Changed | None = None) -> Changed:
        """Leave out what is said at `path`, if anything is, so that the default holds; raises as `set`."""
        return self._edit(lambda text: without(text, path), seen)

    def undo(self, done: Changed) -> None:
        """Put back what was in the file before a change, to the byte.

        Raises:
            StoreError: The file was changed since, or the disk refused.
        """
        with self._held():
            self._still(done)
            if done.before is None:
                self._target.unlink(missing_ok=True)
                sync_folder(self._target.parent)
            else:
                self._write(done.before)

    def reset_all(self) -> Path | None:
        """Leave everything to the defaults; return the copy of what was said, None if there was no file.

        Raises:
            StoreError: The disk refused; nothing was changed.
        """
        with self._held():
            data = self.read()
            if data is None:
                return None
            copy = self._free()
            write_atomic(copy, data, self._mode())
            self._write(template().encode())
        return copy

    def begin(self) -> bool:
        """Write a file with every setting in a comment, unless there is one; says whether that was so.

        Raises:
            StoreError: The disk refused.
        """
        with self._held():
            if self.read() is not None:
                return False
            self._write(template().encode())
        return True

    def _edit(self, edit: Callable[[str], str], seen: Changed | None) -> Changed:
        with self._held():
            if seen is not None:
                self._still(seen)
            before = self.read()
            data = before or b""
            try:
                after = edit(decode(data)).encode()
            except BrokenError as error:
                line = f"line {error.finding.line}: " if error.finding.line is not None else ""
                raise StoreError(
                    _refused(f"{self._file}: {line}{error}.", "Correct that first: `tui-chat config edit`.")
                ) from error
            except EditError as error:
                raise StoreError(
                    _refused(f"{self._file}: {error}.", "Change it by hand: `tui-chat config edit`.")
                ) from error
            after = (_MARK if data.startswith(_MARK) else b"") + after
            if after != data:
                self._write(after)
            return Changed(before, after if before is not None or after else None)

    def _still(self, seen: Changed) -> None:
        if self.read() != seen.after:
            raise StoreError(
                _refused(f"{self._file} was changed meanwhile.", "Look at what it says now, and try again.")
            )

    def _write(self, data: bytes) -> None:
        sweep_temporaries(self._target.parent)
        if self._target.exists() and not os.access(self._target, os.W_OK):
            raise StoreError(_refused(f"{self._target} is write-protected.", "Allow writing it: chmod u+w."))
        write_atomic(self._target, data, self._mode())

    def _mode(self) -> int:
        with suppress(FileNotFoundError):
            return stat.S_IMODE(self._target.stat().st_mode)
        return 0o600

    def _free(self) -> Path:
        """A name for a copy that no file has."""
        number, copy = 1, self._target.with_name(f"{self._target.name}.bak")
        while copy.exists() or copy.is_symlink():
            number += 1
            copy = self._target.with_name(f"{self._target.name}.bak{number}")
        return copy

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Have nobody else of ours change it meanwhile; a disk that refuses something is told."""
        try:
            make_folder(self._target.parent)
            folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with suppress(OSError):  # some file systems of other machines know no locks
                    fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)
        except OSError as error:
            raise StoreError(
                disk_problem(ProblemCode.SAVE_FAILED, "saving the settings", self._file, error, kept=_KEPT)
            ) from error


def _refused(what: str, remedy: str) -> Problem:
    return Problem(ProblemCode.CONFIG_INVALID, what, _KEPT, remedy)
