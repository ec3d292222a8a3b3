"""What is parked of conversations, as it goes over the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ParkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One parked KV cache. `place` is ``ram`` or ``disk``; `used` is when it was parked or last restored."""

    id: str
    model: str
    session: str | None
    tokens: int
    size_bytes: int
    place: str
    used: datetime


class CacheInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is parked, newest first, and how much of its budgets it takes, in bytes."""

    entries: tuple[ParkInfo, ...]
    ram_bytes: int
    ram_limit: int
    disk_bytes: int
    disk_limit: int
