"""Server-sent events as they come off the line: in pieces that end anywhere."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 16 << 20
"""Bytes of one line; whoever sends more sends something else."""
_FIELDS = (b"data", b"event", b"id", b"retry")


class GarbledError(ValueError):
    """What came is not what such a server sends."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one ``data:`` line carried; `event` is the name that came before it, if any."""

    data: bytes
    event: str = ""


class Frames:
    """Splits bytes into frames. Each ``data:`` line is one, as all these servers send one line per event.

    Lines end with LF, CR LF or CR, and may be torn anywhere, also between CR and LF. Comments and fields
    of no use here are passed over.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._event = ""
        self.strange = b""
        """Beginning of the first line that is no server-sent event; empty while there is none."""

    def feed(self, piece: bytes) -> list[Frame]:
        """Take `piece` and return the frames that it completes.

        Raises:
            GarbledError: A line has no end.
        """
        searched = max(0, len(self._rest) - 1)  # a CR may have been kept back
        self._rest += piece
        if b"\n" not in piece and b"\r" not in self._rest[searched:]:
            if len(self._rest) > LONGEST:
                raise GarbledError(f"a line is longer than {LONGEST >> 20} MiB")
            return []
        whole = bytes(self._rest)
        lines = whole.replace(b"\r\n", b"\n")
        kept_back = b"\r" if lines.endswith(b"\r") else b""  # its LF may be on the way
        *complete, rest = lines.removesuffix(b"\r").replace(b"\r", b"\n").split(b"\n")
        self._rest = bytearray(rest + kept_back)
        return self._frames(complete)

    def end(self) -> bytes:
        """What came after the last line's end: half a frame, or a whole one without its line's end."""
        name, _, value = bytes(self._rest).partition(b":")
        self._rest.clear()
        return value.strip() if name == b"data" else b""

    def _frames(self, lines: list[bytes]) -> list[Frame]:
        found = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not line:
                self._event = ""
            elif name == b"data" and colon:
                if value := value.strip():
                    found.append(Frame(value, self._event))
            elif name == b"event":
                self._event = value.strip().decode(errors="replace")
            elif name and name not in _FIELDS and not self.strange:
                self.strange = line[:200]
        return found
