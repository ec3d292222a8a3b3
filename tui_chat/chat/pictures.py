"""Pictures by their bytes: which kind, how large, which one. Only headers are read, and never trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import msgspec

from tui_chat.chat.attachments import Attachment, PictureRef, unshown
from tui_chat.chat.model import Message

MOST_BYTES = 20 << 20
"""Largest picture; no server takes larger ones."""
KINDS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
}
"""Media types that models know, and how names of such files end."""
NAMES = "PNG, JPEG, GIF, WebP or BMP"
HEAD_BYTES = 32
"""Bytes from the beginning that tell the kind."""

_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Sizes in bytes of the header after the first one: few texts that begin with BM have such a number there."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG's markers of what says the size; the others among them are tables."""
_MOST_SEGMENTS = 2_000
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG's markers that nothing belongs to."""


def kind_of(data: bytes) -> str | None:
    """Return the media type of the picture that begins with `data`; None if it is none that models know."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"BM") and _little(data[14:18]) in _BMP_HEADERS:
        return "image/bmp"
    return None


def size_of(data: bytes, media_type: str) -> tuple[int, int]:
    """Return width and height in pixels, as the header says; zeros where it cannot be read."""
    match media_type:
        case "image/png":
            found = (_big(data[16:20]), _big(data[20:24])) if data[12:16] == b"IHDR" else (0, 0)
        case "image/gif":
            found = _little(data[6:8]), _little(data[8:10])
        case "image/webp":
            found = _webp(data)
        case "image/bmp":
            found = _bmp(data)
        case "image/jpeg":
            found = _jpeg(data)
        case _:
            found = 0, 0
    return found if all(found) else (0, 0)


def look_at(data: bytes) -> PictureRef | None:
    """Return which picture `data` is; None if it is none that models know."""
    media_type = kind_of(data)
    if media_type is None:
        return None
    return PictureRef(media_type, hashlib.sha256(data).hexdigest(), *size_of(data, media_type))


def without(
    branch: Sequence[Message], unseen: Callable[[PictureRef], bool], why: str = ""
) -> Sequence[Message]:
    """Return `branch` with a few words in the place of each picture that is `unseen`, for a model to read."""
    if not any(each.picture is not None for message in branch for each in message.attachments):
        return branch
    return [_without(message, unseen, why) for message in branch]


def _without(message: Message, unseen: Callable[[PictureRef], bool], why: str) -> Message:
    left: list[Attachment] = []
    words: list[str] = []
    for each in message.attachments:
        if each.picture is not None and unseen(each.picture):
            words.append(unshown(each, why))
        else:
            left.append(each)
    if not words:
        return message
    said = [message.text] if message.text.strip() else []
    text = "\n\n".join([*words, *said])
    return msgspec.structs.replace(message, text=text, attachments=tuple(left))


def names_of(branch: Iterable[Message], which: Iterable[PictureRef]) -> list[str]:
    """Return what people know these pictures by, each once."""
    wanted = set(which)
    named = {each.picture: each.label for m in branch for each in m.attachments if each.picture in wanted}
    return list(dict.fromkeys(named.values()))


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
        case b"VP8L" if data[20:21] == b"\x2f" and len(data) >= 25:
            both = _little(data[21:25])
            return (both & 0x3FFF) + 1, (both >> 14 & 0x3FFF) + 1
        case b"VP8X" if len(data) >= 30:
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    return 0, 0


def _bmp(data: bytes) -> tuple[int, int]:
    """Its height is negative where its first row is the top one."""
    if _little(data[14:18]) == 12:
        return _little(data[18:20]), _little(data[20:22])
    width, height = (int.from_bytes(data[at : at + 4], "little", signed=True) for at in (18, 22))
    return abs(width), abs(height)


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walk from segment to segment until one says the size."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            break
        marker = data[at + 1] if at + 1 < len(data) else 0
        if marker == 0xFF:  # bytes may be filled up with these
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker in _FRAMES and at + 9 <= len(data):
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        else:
            at += 2 + max(2, _big(data[at + 2 : at + 4]))
    return 0, 0


def _big(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")
