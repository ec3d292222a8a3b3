"""What was typed and not yet sent, kept across restarts: one small file per session."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui_chat.chat.attachments import Attachment
from tui_chat.chat.model import ProblemCode
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import is_name, make_folder, read_regular, sweep_temporaries, write_atomic

NEW_CHAT = "new"
"""The key of the draft that belongs to no session yet."""


class Drafts:
    """The drafts in one folder, by session id or `NEW_CHAT`. The last writer of a key wins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._swept = False

    def read(self, key: str) -> str:
        """Return the draft, empty if there is none or it cannot be read."""
        try:
            return read_regular(self._path(key))[0].decode("utf-8", "replace")
        except OSError:
            return ""

    def write(self, key: str, text: str) -> None:
        """Keep `text` as the draft; an empty one removes the file.

        Raises:
            StoreError: The disk refused; the previous draft is kept.
        """
        self._write(self._path(key), text.encode("utf-8", "replace"))

    def read_attachments(self, key: str) -> tuple[Attachment, ...]:
        """Return what is attached to the draft; none where it cannot be read."""
        try:
            data = read_regular(self._path(key, ".attached.json"))[0]
            return msgspec.json.decode(data, type=tuple[Attachment, ...])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return ()

    def write_attachments(self, key: str, attachments: tuple[Attachment, ...]) -> None:
        """Keep what is attached to the draft; with nothing attached, the file is removed.

        Raises:
            StoreError: As `write`.
        """
        path = self._path(key, ".attached.json")
        self._write(path, msgspec.json.encode(attachments) if attachments else b"")

    def _write(self, path: Path, data: bytes) -> None:
        try:
            if not data:
                path.unlink(missing_ok=True)
                return
            make_folder(self._folder)
            self._sweep()
            write_atomic(path, data)
        except OSError as error:
            kept = "The text stays in the input."
            raise StoreError(
                disk_problem(ProblemCode.SAVE_FAILED, "keeping the draft", path, error, kept=kept)
            ) from error

    def _path(self, key: str, end: str = ".txt") -> Path:
        if not is_name(key):
            raise ValueError(f"{key!r} is no key of a draft")
        return self._folder / f"{key}{end}"

    def _sweep(self) -> None:
        if not self._swept:
            sweep_temporaries(self._folder)
            self._swept = True
