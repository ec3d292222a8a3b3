"""Pictures that go with messages: one file each, named by its digest, however many messages mention it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from tui_chat.chat.attachments import PictureRef
from tui_chat.chat.model import ProblemCode
from tui_chat.chat.pictures import KINDS
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import make_folder, read_regular, stamp, sweep_temporaries, write_atomic

RECENT = timedelta(days=1)
"""How long a picture is left that nothing mentions: somebody may be attaching it."""
_EVERY = timedelta(days=1)
_SWEPT = ".looked-through"
"""An empty file; its time is when the folder was last looked through for what may go."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MENTION = re.compile(rb'"sha256":\s*"([0-9a-f]{64})"')


class PictureGoneError(Exception):
    """A picture cannot be had any more; the message says why, for a person."""


class Pictures(Protocol):
    """Keeps the bytes of pictures. Methods may block."""

    def put(self, ref: PictureRef, data: bytes) -> None:
        """Keep `data`, which `ref` tells of. Raises `StoreError` where that cannot be."""

    def get(self, ref: PictureRef) -> bytes:
        """Return the bytes. Raises `PictureGoneError`."""
        ...

    def renew(self, refs: Iterable[PictureRef]) -> None:
        """Have them count as recent: they are about to be mentioned."""


def look_for(pictures: Pictures) -> Callable[[PictureRef], bytes | None]:
    """Return what finds bytes, and None for those that are gone."""

    def look(ref: PictureRef) -> bytes | None:
        try:
            return pictures.get(ref)
        except PictureGoneError:
            return None

    return look


class HeldPictures:
    """Pictures of a chat that is kept nowhere: in memory, for as long as that is open."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def put(self, ref: PictureRef, data: bytes) -> None:
        """Hold `data`."""
        self._held[ref.sha256] = data

    def get(self, ref: PictureRef) -> bytes:
        """Return the bytes.

        Raises:
            PictureGoneError: They were never put here.
        """
        if ref.sha256 not in self._held:
            raise PictureGoneError("it was attached in another chat")
        return self._held[ref.sha256]

    def renew(self, refs: Iterable[PictureRef]) -> None:
        """Nothing ever goes from here."""


class PictureFolder:
    """Pictures in a folder, which is made for the first one, for their owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, ref: PictureRef, data: bytes) -> None:
        """Write the picture, unless it is there whole.

        Raises:
            StoreError: The disk refused.
        """
        path = self._path(ref)
        assert path is not None, "what is put was looked at"
        try:
            with suppress(PictureGoneError):
                self.get(ref)
                os.utime(path)
                return
            make_folder(self.folder)
            sweep_temporaries(self.folder)
            write_atomic(path, data)
        except OSError as error:
            kept = "The file itself is as it was; nothing is attached."
            problem = disk_problem(ProblemCode.SAVE_FAILED, "keeping the picture", path, error, kept=kept)
            raise StoreError(problem) from error

    def get(self, ref: PictureRef) -> bytes:
        """Return the bytes, which are those that were put: their digest is proven.

        Raises:
            PictureGoneError: They are not there, damaged, or cannot be read.
        """
        path = self._path(ref)
        if path is None:
            raise PictureGoneError("the session does not say which it is")
        try:
            data, _ = read_regular(path)
        except FileNotFoundError as error:
            raise PictureGoneError(f"{path} is not there any more") from error
        except OSError as error:
            raise PictureGoneError(f"{path} cannot be read: {error.strerror or error}") from error
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise PictureGoneError(f"{path} is damaged")
        return data

    def renew(self, refs: Iterable[PictureRef]) -> None:
        """Have them count as recent, as far as they are there."""
        for path in map(self._path, refs):
            if path is not None:
                with suppress(OSError):
                    os.utime(path)

    def _path(self, ref: PictureRef) -> Path | None:
        """Return where it is; None for what a foreign session says in place of a digest or type."""
        suffix = KINDS.get(ref.media_type)
        return self.folder / f"{ref.sha256}{suffix}" if suffix and _DIGEST.fullmatch(ref.sha256) else None

    # What nothing mentions any more

    def sweep_if_due(self, folders: Iterable[Path]) -> None:
        """Do `sweep`, once a day at most."""
        mark, now = self.folder / _SWEPT, datetime.now(UTC)
        with suppress(OSError):
            last = stamp(mark)
            if last is not None and abs(now.timestamp() - last.mtime_ns / 1e9) < _EVERY.total_seconds():
                return
            if self.folder.is_dir():
                self.sweep(folders)
                mark.touch(mode=0o600)
                os.utime(mark)

    def sweep(self, folders: Iterable[Path], now: datetime | None = None) -> None:
        """Delete the pictures that are not recent, and that no JSON file in `folders` mentions.

        Where one of those cannot be read, all stay: it may mention any.

        Raises:
            OSError: The system refused; the rest stays for the next time.
        """
        before = ((now or datetime.now(UTC)) - RECENT).timestamp()
        old = [path for path in self._kept() if path.lstat().st_mtime < before]
        if not old:
            return
        mentioned = {digest for folder in folders for digest in _mentioned_in(folder)}
        for path in old:
            if path.stem not in mentioned and path.lstat().st_mtime < before:
                path.unlink(missing_ok=True)

    def _kept(self) -> Iterator[Path]:
        if self.folder.is_dir():
            found = (each for each in self.folder.iterdir() if each.suffix in KINDS.values())
            yield from (each for each in found if _DIGEST.fullmatch(each.stem))


def _mentioned_in(folder: Path) -> Iterator[str]:
    """Yield the digests that files in `folder` mention, in however damaged a state they are."""
    if not folder.is_dir():
        return
    for path in folder.glob("*.json"):
        if path.is_symlink() or not path.is_file():
            continue  # no session is ever read from such
        with suppress(FileNotFoundError):  # moved or deleted just now
            data, _ = read_regular(path)
            yield from (found[1].decode() for found in _MENTION.finditer(data))
