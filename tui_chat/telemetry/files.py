"""What the kernel tells in folders of small files, each with one number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from tui_chat.wire.telemetry import Unread

T = TypeVar("T")


class Files:
    """One such folder; notes in `unread` why a field is not told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unread: dict[str, Unread] = {}

    def text(self, name: str) -> str:
        """Return what a file says; nothing where there is none."""
        try:
            return (self._folder / name).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return ""

    def number(self, field: str, name: str, per: float = 1) -> float | None:
        """Return the number in a file, in units of `per`."""
        return self._read(field, lambda: float((self._folder / name).read_text(encoding="ascii")) / per)

    def whole(self, field: str, name: str, per: float = 1) -> int | None:
        """Return the number in a file, in units of `per`, rounded."""
        number = self.number(field, name, per)
        return None if number is None else round(number)

    def either(self, field: str, names: Sequence[str], per: float = 1) -> float | None:
        """Return the number in the first of several files that is there."""
        there = next((name for name in names if (self._folder / name).exists()), names[0])
        return self.number(field, there, per)

    def table(self, field: str, name: str) -> bytes | None:
        """Return what is in a file that is not text."""
        return self._read(field, (self._folder / name).read_bytes)

    def _read(self, field: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except FileNotFoundError:
            why = Unread.NOT_SUPPORTED
        except PermissionError:
            why = Unread.NO_PERMISSION
        except (OSError, ValueError):  # a card that sleeps says EBUSY or nothing
            why = Unread.FAILED
        if field:
            self.unread[field] = why
        return None

    def sensors(self, chips: Collection[str]) -> Files:
        """The folder of a device's sensors; one that is not there if it has none of these names."""
        found = (Files(folder) for folder in sorted((self._folder / "hwmon").glob("hwmon*")))
        return next(
            (each for each in found if each.text("name") in chips), Files(self._folder / "hwmon/none")
        )
