"""GPUs that are there, and of which nothing can be read: that is said, rather than that there are none."""

from __future__ import annotations

import sys
from pathlib import Path

from tui_chat.telemetry import amd, intel
from tui_chat.telemetry.cards import DRM, Card, Cards
from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import GpuSample, Maker

_NVIDIA = "0x10de"
_READ_ELSEWHERE = (amd.VENDOR, intel.VENDOR)
_NO_GPU = ("0x1af4", "0x15ad")
"""Makers of displays of virtual machines: virtio and VMware."""
_APPLE = "asahi"


class OtherSource:
    """Looks for them now and then. There is no supported way to read Apple's GPUs, whatever the system."""

    name = "other"

    def __init__(self, drm: Path = DRM, system: str = sys.platform) -> None:
        self._cards = Cards(drm, _unreadable)
        self._system = system

    def read(self) -> Reading:
        """Name those that are there."""
        if self._system == "darwin":
            what = "It cannot be read: its system has no supported way."
            return Reading(
                gpus=(GpuSample(id="apple", index=0, maker=Maker.APPLE, name="Apple GPU", problem=what),)
            )
        return Reading(gpus=tuple(_gpu(card, index) for index, card in enumerate(self._cards.now())))

    def close(self) -> None:
        """Nothing is held."""


def _unreadable(card: Card) -> bool:
    """Whether models may run on it, though nothing else here reads it."""
    if not card.vendor:
        return card.driver == _APPLE  # of the GPUs on no bus, the one that is no small part of a processor
    # What NVIDIA's own driver drives is read by it, or it says why not.
    known = card.vendor in (*_READ_ELSEWHERE, *_NO_GPU) or (card.vendor, card.driver) == (_NVIDIA, "nvidia")
    return not known and card.computes


def _gpu(card: Card, index: int) -> GpuSample:
    maker = {_NVIDIA: Maker.NVIDIA, "": Maker.APPLE}.get(card.vendor, Maker.OTHER)
    what = f"It cannot be read: its driver is {card.driver or 'none that we know'}."
    if maker is Maker.NVIDIA:
        what += " NVIDIA's own is needed."
    name = {Maker.NVIDIA: "NVIDIA GPU", Maker.APPLE: "Apple GPU"}.get(maker, f"GPU of maker {card.vendor}")
    return GpuSample(id=card.slot or card.folder.name, index=index, maker=maker, name=name, problem=what)
