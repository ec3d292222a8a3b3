"""Pictures from files, for models that can see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_chat.wire.api import Picture

MOST_BYTES = 20 << 20
"""No server takes larger ones."""
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}


class PictureError(Exception):
    """A file cannot be shown; the message says why, for a person."""


def read_pictures(files: Sequence[Path]) -> tuple[Picture, ...]:
    """Read pictures.

    Raises:
        PictureError: One cannot be read, is too large, or is no picture of a kind that models know.
    """
    return tuple(map(_read, files))


def _read(file: Path) -> Picture:
    from tui_chat.wire.api import Picture
    from tui_chat.wire.words import size

    try:
        found = file.stat().st_size
        if found > MOST_BYTES:
            raise PictureError(f"{file} has {size(found)}; a picture may have {size(MOST_BYTES)}.")
        data = file.read_bytes()
    except OSError as error:
        raise PictureError(f"{file} cannot be read: {error.strerror}.") from error
    kind = next((kind for begin, kind in _BEGINNINGS.items() if data.startswith(begin)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is None:
        raise PictureError(f"{file} is no PNG, JPEG, WebP, GIF or BMP picture.")
    return Picture(kind, data)
