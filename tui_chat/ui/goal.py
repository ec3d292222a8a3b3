"""Where a person wants to go."""

from __future__ import annotations

import msgspec


class Goal(msgspec.Struct, frozen=True):
    """A session, and in it a message; None: wherever its branch in view ends."""

    session: str
    message: str | None = None
