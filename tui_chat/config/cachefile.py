"""Files whose loss costs only time: read whatever state they are in, written if the disk allows it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from tui_chat import __version__

T = TypeVar("T")
_MAX_BYTES = 64 << 20


class _Envelope(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True):
    version: str
    content: T


def read_cache(file: Path, type: type[T]) -> T | None:
    """Return what `write_cache` put into `file`; None if that is missing, damaged or of another release."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            return None
        envelope = msgspec.msgpack.decode(file.read_bytes(), type=_Envelope[type])  # type: ignore[valid-type]
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return envelope.content if envelope.version == __version__ else None


def write_cache(file: Path, content: object) -> None:
    """Replace `file` at one blow. A full or read-only disk is borne; of two writers the last stays."""
    with contextlib.suppress(OSError, UnicodeEncodeError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(msgspec.msgpack.encode(_Envelope(__version__, content)))
            Path(scratch).replace(file)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
