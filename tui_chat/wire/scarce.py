"""Memory that is about to run out, as it goes over the wire."""

from __future__ import annotations

import msgspec

RAM = "RAM"
"""What the machine's own memory is called among devices."""


class Grower(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process that takes more memory than a minute ago.

    Attributes:
        name: What it is called; `model` is the id of the model, if it is one of our workers.
        grown_bytes: By how much it grew; all that it has, if it is new.
    """

    pid: int
    name: str
    grown_bytes: int
    model: str | None = None


class Scarce(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device whose memory is about to run out.

    Attributes:
        device: `RAM`, or ``GPU 0``.
        free_bytes: What is left of `total_bytes`.
        left_s: Seconds until it runs out if it goes on so; None if it does not shrink.
        growers: Who took it, the greediest first; empty if nobody can tell.
    """

    device: str
    free_bytes: int
    total_bytes: int
    left_s: float | None = None
    growers: tuple[Grower, ...] = ()
