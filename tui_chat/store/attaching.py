"""Reads files that are to go with a message: whole, as text, and never more than a model could read."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from tui_chat.chat.attachments import Attachment

MOST_BYTES = 1 << 20
"""Largest file that is attached; a MiB is some 300,000 tokens, more than almost any context."""

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM")
_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LOOKED_AT = 8 << 10
"""Bytes in which a file that is no text shows that."""


class AttachError(Exception):
    """A file cannot be attached; the message says why, for a person."""


class PictureError(AttachError):
    """It is a picture, which only some models can be shown."""


def read_attachment(path: Path, name: str) -> Attachment:
    """Read the file at `path`, to be known as `name`.

    Raises:
        PictureError: It is a picture.
        AttachError: It is no file, too large, no text, or cannot be read.
    """
    try:
        # A pipe that nobody writes to would keep a plain open waiting.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_ISDIR(found.st_mode):
                raise AttachError(f"{name} is a folder; attach the files in it one by one")
            if not stat.S_ISREG(found.st_mode):
                raise AttachError(f"{name} is no file but a device, pipe or socket")
            begun = file.read(_LOOKED_AT)
            if begun.startswith(_PICTURES) or (begun[:4] == b"RIFF" and begun[8:12] == b"WEBP"):
                raise PictureError(f"{name} is a picture")
            if found.st_size > MOST_BYTES:
                raise AttachError(
                    f"{name} has {found.st_size:,} bytes, and at most {MOST_BYTES:,} go with a message;"
                    " cut out the part that matters"
                )
            data = begun + file.read(MOST_BYTES + 1 - len(begun))
    except IsADirectoryError as error:
        raise AttachError(f"{name} is a folder; attach the files in it one by one") from error
    except OSError as error:
        raise AttachError(f"{name} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in the name
        raise AttachError(f"{name!r} is no name of a file") from error
    return Attachment(name, _text(data, name), len(data))


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
