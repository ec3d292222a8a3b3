"""Identifiers for sessions and messages: sortable by time, readable, made without coordination."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def new_id(now: datetime | None = None) -> str:
    """Return an id such as ``20261121-140259-k3q8zt0v``: UTC second, then 40 random bits.

    Ids sort by creation second, contain only ``[0-9a-z-]`` and are safe as file names.
    """
    moment = now or datetime.now(UTC)
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{moment:%Y%m%d-%H%M%S}-{tail}"


def is_id(text: str) -> bool:
    """Tell whether `text` has the shape of `new_id`'s result, and so cannot leave a folder."""
    parts = text.split("-")
    return (
        len(parts) == 3
        and [len(p) for p in parts] == [8, 6, 8]
        and parts[0].isdigit()
        and parts[1].isdigit()
        and all(c in _ALPHABET for c in parts[2])
    )
