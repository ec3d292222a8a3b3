"""Pictures from files, for models that can see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_chat.wire.pictures import Picture


class PictureError(Exception):
    """A file cannot be shown; the message says why, for a person."""


def read_pictures(files: Sequence[Path]) -> tuple[Picture, ...]:
    """Read pictures.

    Raises:
        PictureError: One cannot be read, is too large, or is no picture of a kind that models know.
    """
    return tuple(map(_read, files))


def _read(file: Path) -> Picture:
    from tui_chat.store.attaching import AttachError, read_picture
    from tui_chat.wire.pictures import Picture

    try:
        read = read_picture(file, str(file))
    except AttachError as error:
        raise PictureError(f"{error}.") from error
    assert read.attachment.picture is not None, "only pictures are read"
    return Picture(read.attachment.picture.media_type, read.data)
