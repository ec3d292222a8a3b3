"""A device that is too hot, as it goes over the wire."""

from __future__ import annotations

import msgspec


class Hot(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device that is hotter than it should be.

    Attributes:
        device: ``CPU``, or ``GPU 0``; `gpu` is its number.
        below_c: Answers that wait go on when it is cooler than this.
        critical: Whether it is so hot that something should be done, and not only said.
        held: Whether answers that use it wait.
        slowed: Whether they are slowed down instead; those planned for little power are so earlier.
        unheld: Ids of models that use it and cannot be held up.
    """

    device: str
    gpu: int | None
    temperature_c: float
    below_c: float
    critical: bool = False
    held: bool = False
    slowed: bool = False
    unheld: tuple[str, ...] = ()
