"""What is sent with a message and stands apart from its words: pasted text and files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_FENCE = re.compile(r"`{3,}")


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text that goes with a message, whole and as it was when it was attached.

    Attributes:
        name: The file's name as it was given; empty for what was pasted.
        text: What is in it, with line feeds at the ends of lines.
        bytes: The size of the file it was read from; 0 for what was pasted.
    """

    name: str
    text: str
    bytes: int = 0

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n") + (not self.text.endswith("\n") and bool(self.text))

    @property
    def label(self) -> str:
        """What people know it by."""
        lines = f"{self.lines:,} {'line' if self.lines == 1 else 'lines'}"
        return self.name or f"pasted {lines}"


def with_attachments(attachments: Sequence[Attachment], text: str) -> str:
    """Return what a model reads: each attachment under its name in a fence of its own, then `text`."""
    parts = [*map(fenced, attachments), *([text] if text.strip() or not attachments else [])]
    return "\n\n".join(parts)


def fenced(attachment: Attachment) -> str:
    """Write an attachment as a code block that nothing inside it can end."""
    longest = max((len(run) for run in _FENCE.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    end = "" if attachment.text.endswith("\n") else "\n"
    head = f"File {attachment.name}:" if attachment.name else "Pasted text:"
    return f"{head}\n{fence}\n{attachment.text}{end}{fence}"
