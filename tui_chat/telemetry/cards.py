"""The cards that the kernel's graphics drivers drive, as ``/sys/class/drm`` shows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tui_chat.telemetry.files import Files

DRM = Path("/sys/class/drm")
ASLEEP = "It sleeps; reading it would wake it up."
_LOOK_S = 15.0
"""How often is looked whether there are others; most machines have the same for as long as they run."""


@dataclass(frozen=True, slots=True)
class Card:
    """One of them.

    Attributes:
        folder: What the driver tells of the card; `device` is what it tells of the device.
        vendor: Of the device, such as ``0x1002``; nothing where it is on no PCI bus.
        driver: What the driver is called.
        slot: Where on the PCI bus it is, such as ``0000:03:00.0``.
    """

    folder: Path
    vendor: str
    driver: str
    slot: str

    @property
    def device(self) -> Path:
        """The folder of the device."""
        return self.folder / "device"

    @property
    def computes(self) -> bool:
        """Whether programs may compute on it: what only shows pictures, as servers have, has no such node."""
        return any((self.device / "drm").glob("renderD*"))

    @property
    def asleep(self) -> bool:
        """Whether it is switched off while nobody uses it, as in laptops; to read its sensors wakes it up."""
        return Files(self.device).text("power/runtime_status") == "suspended"


class Cards:
    """Those of them that are `wanted`."""

    def __init__(self, drm: Path, wanted: Callable[[Card], bool]) -> None:
        self._drm = drm
        self._wanted = wanted
        self._known: tuple[Card, ...] = ()
        self._until = 0.0

    def now(self) -> tuple[Card, ...]:
        """The cards in their order, looked for now and then, and when one is gone."""
        if time.monotonic() >= self._until or not all(card.device.exists() for card in self._known):
            self._known = tuple(card for card in _found(self._drm) if self._wanted(card))
            self._until = time.monotonic() + _LOOK_S
        return self._known


def _found(drm: Path) -> Iterator[Card]:
    """All cards; a connector such as ``card0-DP-1`` is none."""
    folders = (path for path in drm.glob("card*") if path.name[4:].isdigit())
    for folder in sorted(folders, key=lambda path: int(path.name[4:])):
        files = Files(folder / "device")
        told = dict(line.partition("=")[::2] for line in files.text("uevent").splitlines())
        yield Card(folder, files.text("vendor"), told.get("DRIVER", ""), told.get("PCI_SLOT_NAME", ""))
