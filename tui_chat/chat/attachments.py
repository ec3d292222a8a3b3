"""What is sent with a message and stands apart from its words: pasted text, files and pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_FENCE = re.compile(r"`{3,}")


class PictureRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which picture: its bytes are kept apart, under their digest.

    Attributes:
        media_type: Such as ``image/png``.
        sha256: The digest of its bytes, in hexadecimal digits.
        width, height: In pixels, as its header says; 0 where that cannot be read.
    """

    media_type: str
    sha256: str
    width: int = 0
    height: int = 0


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text or a picture that goes with a message, whole and as it was when it was attached.

    Attributes:
        name: The file's name as it was given; empty for what was pasted.
        text: What is in it, with line feeds at the ends of lines; empty for a picture.
        bytes: The size of the file it was read from; 0 for what was pasted.
        picture: Which one it is, if it is one.
    """

    name: str
    text: str
    bytes: int = 0
    picture: PictureRef | None = None

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))

    @property
    def label(self) -> str:
        """What people know it by."""
        lines = f"{self.lines:,} {'line' if self.lines == 1 else 'lines'}"
        return self.name or f"pasted {lines}"


def pictures_of(attachments: Sequence[Attachment]) -> tuple[PictureRef, ...]:
    """Return the pictures among them, in order."""
    return tuple(each.picture for each in attachments if each.picture is not None)


def with_attachments(attachments: Sequence[Attachment], text: str) -> str:
    """Return what a model reads: each text under its name in a fence of its own, then `text`.

    Pictures are not read but seen, and go beside it.
    """
    parts = [fenced(each) for each in attachments if each.picture is None]
    return "\n\n".join([*parts, *([text] if text.strip() or not parts else [])])


def fenced(attachment: Attachment) -> str:
    """Write an attachment as a code block that nothing inside it can end."""
    longest = max((len(run) for run in _FENCE.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if attachment.text.endswith("\n") else "\n"
    head = f"File {attachment.name}:" if attachment.name else "Pasted text:"
    return f"{head}\n{fence}\n{attachment.text}{end}{fence}"


def unshown(attachment: Attachment, why: str) -> str:
    """Write what stands in the place of a picture that a model is not shown."""
    name = " ".join(attachment.name.split()).replace("]", ")")
    return f"[picture {name}, {why}]" if why else f"[picture {name}]"
