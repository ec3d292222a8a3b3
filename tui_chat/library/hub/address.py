"""What a person writes for a model on the hub: ``hf:OWNER/REPO[:QUANT]`` or ``hf:OWNER/REPO/FILE.gguf``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui_chat.chat.model import Problem, ProblemCode

PREFIX = "hf:"
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_ADDRESS = re.compile(
    rf"hf:(?P<repository>{_PART}/{_PART})(?::(?P<quant>[A-Za-z0-9._-]+)|/(?P<file>[^:]+\.gguf))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HubAddress:
    """A repository, and which of its models is wanted, if that was said.

    Attributes:
        file: Path inside the repository.
    """

    repository: str
    quant: str | None = None
    file: str | None = None


def parse_address(text: str) -> HubAddress | Problem:
    """Take an address apart, or say how one is written."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return Problem(
            code=ProblemCode.BAD_REQUEST,
            what=f"“{text}” names no model.",
            remedy="Write hf:OWNER/REPO, hf:OWNER/REPO:QUANT or hf:OWNER/REPO/FILE.gguf.",
        )
    return HubAddress(found["repository"], found["quant"], found["file"])
