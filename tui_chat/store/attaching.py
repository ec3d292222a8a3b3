"""Reads files that are to go with a message: whole, as text or picture, never more than a model takes."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import NamedTuple

from tui_chat.chat.attachments import Attachment
from tui_chat.chat.pictures import HEAD_BYTES, NAMES, kind_of, look_at
from tui_chat.chat.pictures import MOST_BYTES as LARGEST_PICTURE

MOST_BYTES = 1 << 20
"""Largest text that is attached; a MiB is some 300,000 tokens, more than almost any context."""

_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_OTHER_PICTURES = (".heic", ".heif", ".avif", ".tif", ".tiff", ".ico")
_FOLDER = "{} is a folder; attach the files in it one by one"


class AttachError(Exception):
    """A file cannot be attached; the message says why, for a person."""


class Read(NamedTuple):
    """What was in a file. The `data` of a picture are to be kept apart; those of a text are empty."""

    attachment: Attachment
    data: bytes = b""


def read_attachment(path: Path, name: str) -> Read:
    """Read the file at `path`, to be known as `name`.

    Raises:
        AttachError: It is no file, too large, neither text nor a picture that models know, or cannot be read.
    """
    return _read(path, name, text=True)


def read_picture(path: Path, name: str) -> Read:
    """Read the picture at `path`, to be known as `name`.

    Raises:
        AttachError: It is no file, no picture that models know, too large, or cannot be read.
    """
    return _read(path, name, text=False)


def _read(path: Path, name: str, *, text: bool) -> Read:
    try:
        # A pipe that nobody writes to would keep a plain open waiting.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _check_kind(os.fstat(file.fileno()).st_mode, name)
            begun = file.read(HEAD_BYTES)
            seen = kind_of(begun) is not None
            most = LARGEST_PICTURE if seen else MOST_BYTES
            if not seen and (not text or name.lower().endswith(_OTHER_PICTURES)):
                raise AttachError(f"{name} is no {NAMES} picture")
            _check_size(os.fstat(file.fileno()).st_size, most, name, seen=seen)
            data = begun + file.read(most + 1 - len(begun))
    except IsADirectoryError as error:
        raise AttachError(_FOLDER.format(name)) from error
    except OSError as error:
        raise AttachError(f"{name} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in the name
        raise AttachError(f"{name!r} is no name of a file") from error
    _check_size(len(data), most, name, seen=seen)  # one that grows, or does not tell its size
    if seen:
        return Read(Attachment(name, "", len(data), look_at(data)), data)
    return Read(Attachment(name, _text(data, name), len(data)))


def _check_kind(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise AttachError(_FOLDER.format(name))
    if not stat.S_ISREG(mode):
        raise AttachError(f"{name} is no file but a device, pipe or socket")


def _check_size(size: int, most: int, name: str, *, seen: bool) -> None:
    if size > most and seen:
        raise AttachError(f"{name} has {size:,} bytes, and a picture may have {most:,}; make it smaller")
    if size > most:
        raise AttachError(
            f"{name} has {size:,} bytes, and at most {most:,} go with a message;"
            " cut out the part that matters"
        )


def _text(data: bytes, name: str) -> str:
    encoding = next((wide for mark, wide in _WIDE.items() if data.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in data:
        raise AttachError(f"{name} is no text but binary")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise AttachError(
            f"{name} is no UTF-8 text (at byte {error.start:,}); if it is text, `iconv -t utf-8` makes it so"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
