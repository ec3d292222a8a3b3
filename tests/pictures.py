"""Pictures for tests: whole files as small as their kinds allow, of any size they claim."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 4, height: int = 3, *, colour: int = 0) -> bytes:
    """A PNG that every viewer opens: one grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([colour]) * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    """The segments of a JPEG up to its size, with a thumbnail's size in one before it, and filling bytes."""
    exif = b"Exif\0\0" + b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 9, 9)
    frame = b"\x08" + struct.pack(">HH", height, width) + b"\x03" + bytes(9)
    return (
        b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
        + b"\xff\xff\xc4" + struct.pack(">H", 4) + b"\0\0"
        + b"\xff\xc2" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9"
    )  # fmt: skip


def gif(width: int, height: int) -> bytes:
    """A GIF's header."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def bmp(width: int, height: int, *, header: int = 40) -> bytes:
    """A BMP's headers; with a header of 12 bytes, those of OS/2."""
    size = struct.pack("<HH", width, height) if header == 12 else struct.pack("<ii", width, height)
    return b"BM" + bytes(12) + struct.pack("<I", header) + size + bytes(24)


def webp(width: int, height: int, kind: bytes) -> bytes:
    """A WebP's headers: lossy, lossless or extended."""
    match kind:
        case b"VP8 ":
            data = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width | 1 << 14, height)
        case b"VP8L":
            data = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
        case _:
            data = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"WEBP" + kind + struct.pack("<I", len(data)) + data
