"""One parked conversation as the shelf knows it, and what of it fits a prompt."""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass
from datetime import datetime

from tui_chat.memory.parkfile import KvIdentity, ParkHeader
from tui_chat.memory.residency import HALF_LIFE_S
from tui_chat.memory.sequences import common_length
from tui_chat.wire.cache import ParkInfo


class Place(enum.StrEnum):
    """Where a park file is."""

    RAM = "ram"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class ParkEntry:
    """A park file on the shelf.

    Attributes:
        path: By which another process of ours can open it: of the file, or of our open descriptor.
        size: In bytes.
        used: When it was last parked or restored.
    """

    id: str
    header: ParkHeader
    path: str
    size: int
    place: Place
    used: datetime

    @property
    def info(self) -> ParkInfo:
        """As the engine tells it."""
        return ParkInfo(
            id=self.id,
            model=self.header.label.model,
            session=self.header.label.session,
            tokens=self.header.count,
            size_bytes=self.size,
            place=self.place.value,
            used=self.used,
        )

    def worth(self, now: datetime) -> float:
        """Seconds per byte that keeping it is expected to save: less the longer nobody came back to it."""
        unused_s = max(0.0, (now - self.used).total_seconds())
        return worth(self.header.label.saves_s, self.size, unused_s)

    def reusable(self, identity: KvIdentity, prompt: array[int]) -> int:
        """How many tokens of `prompt` a model of `identity` could take from it; one is always left over."""
        if self.header.identity != identity:
            return 0
        return self.header.reusable(common_length(self.header.tokens, prompt[:-1]))


def worth(saves_s: float, size: int, unused_s: float) -> float:
    """Seconds per byte that a park is expected to save; the chance of a return halves like a model's."""
    return saves_s / size * 2 ** (-unused_s / HALF_LIFE_S)
