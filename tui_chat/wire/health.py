"""How the engine is, in a word for scripts."""

from __future__ import annotations

import enum

import msgspec


class HealthState(enum.StrEnum):
    """Whether the engine takes work; `HELD` is healthy, with answers that wait for a device to cool down."""

    OK = "ok"
    HELD = "held"
    LEAVING = "leaving"


class Health(msgspec.Struct, frozen=True):
    """What scripts ask for.

    Attributes:
        status: In a word.
        version, pid: Of the engine.
        answers: How many are being written or wait.
        models: Ids of what is in memory, ready to answer.
    """

    status: HealthState
    version: str
    pid: int
    answers: int
    models: tuple[str, ...]
