"""Parks models' KV caches and brings them back: the shelf as the engine uses it.

Call `bring_back` before an answer and `keep` before a model goes. Neither ever fails: a park is only there
to save time, and without it the model reads the conversation anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
from array import array
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

from tui_chat.backends.protocol import BackendError, Held, LoadedModel, ParkableModel
from tui_chat.config.paths import Paths
from tui_chat.config.settings import CacheSettings
from tui_chat.memory.parkfile import ParkLabel
from tui_chat.store.parks.entries import ParkEntry
from tui_chat.store.parks.shelf import Shelf
from tui_chat.wire.api import CacheInfo, Turn

T = TypeVar("T")

log = logging.getLogger(__name__)

_RAM_SHARE, _RAM_MOST = 10, 2 << 30
WORTHWHILE = 32
"""Tokens; fewer are read as quickly as they are parked or brought back."""


@dataclass(frozen=True, slots=True)
class _Last:
    """What a model was last made ready for."""

    turns: tuple[Turn, ...]
    label: ParkLabel


class Parking:
    """Keeps the KV caches of conversations that are not being answered."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._turn = asyncio.Lock()
        self._last: WeakKeyDictionary[LoadedModel, _Last] = WeakKeyDictionary()

    async def bring_back(self, model: LoadedModel, turns: tuple[Turn, ...], label: ParkLabel) -> int:
        """Make `model` as ready as can be for answering `turns`; return how many tokens were restored.

        What its cache holds of another conversation is parked first. Nothing is asked of the model when
        `turns` go on from, or back into, what it answered last.
        """
        last = self._last.get(model)
        self._last[model] = _Last(turns, label)
        if not isinstance(model, ParkableModel) or (last and _same_line(last.turns, turns)):
            return 0
        return await self._whole(self._bring_back(model, turns, last.label if last else label)) or 0

    async def keep(self, model: LoadedModel) -> ParkEntry | None:
        """Park what the cache of `model` holds, if it is worth it; return its entry."""
        last = self._last.get(model)
        if last is None or not isinstance(model, ParkableModel) or model.death is not None:
            return None
        return await self._whole(self._keep(model, last.label))

    async def info(self) -> CacheInfo:
        """What is parked."""
        async with self._turn:
            return await asyncio.to_thread(self._shelf.describe)

    async def clear(self, model: str | None) -> CacheInfo:
        """Discard what is parked, of all models or of those whose name contains `model`; say what it was."""
        async with self._turn:
            return await asyncio.to_thread(self._shelf.clear, model)

    async def close(self) -> None:
        """Bring to disk what may stay; call it when the engine leaves."""
        async with self._turn:
            await asyncio.to_thread(self._shelf.close)

    async def _whole(self, work: Coroutine[None, None, T]) -> T | None:
        """Do `work` to its end even if the caller gives up: a worker may still write into its slot."""

        async def do() -> T | None:
            async with self._turn:
                try:
                    return await work
                except BackendError as error:
                    log.warning("parking: %s", error.problem.what)
                    return None

        return await asyncio.shield(asyncio.create_task(do()))

    async def _bring_back(self, model: ParkableModel, turns: tuple[Turn, ...], held_by: ParkLabel) -> int:
        fit = await model.fit(turns)
        if fit.held >= fit.reusable + WORTHWHILE:
            await self._keep(model, held_by)  # first, because it may move or discard others
        described = model.description
        if described.identity is None:
            return 0
        found = await asyncio.to_thread(self._shelf.best, described.identity, fit.tokens, described.context)
        if found is None or found[1] < fit.reusable + WORTHWHILE:
            return 0
        return await self._restore(model, found[0])

    async def _restore(self, model: ParkableModel, entry: ParkEntry) -> int:
        """Restore, or discard what cannot be restored: it might kill the next worker too."""
        try:
            tokens = await model.restore(entry.path)
        except BackendError:
            await asyncio.to_thread(self._shelf.discard, entry)
            raise
        await asyncio.to_thread(self._shelf.touch, entry)
        log.info("brought back %d tokens of %s from %s", tokens, entry.header.label.model, entry.place)
        return tokens

    async def _keep(self, model: ParkableModel, label: ParkLabel) -> ParkEntry | None:
        held = await model.held()
        if len(held.tokens) < WORTHWHILE:
            return None
        known = await asyncio.to_thread(self._parked_already, model, held)
        if known is not None:
            return known
        slot = await asyncio.to_thread(self._shelf.slot, held.size)
        if slot is None:
            return None
        try:
            header = await model.park(slot.path, label)
        except BackendError:
            await asyncio.to_thread(self._shelf.abandon, slot)
            raise
        log.info("parked %d tokens of %s, %d MiB", header.count, label.model, held.size >> 20)
        return await asyncio.to_thread(self._shelf.put, slot, header)

    def _parked_already(self, model: ParkableModel, held: Held) -> ParkEntry | None:
        tokens = array("i", held.tokens)
        for entry in self._shelf.entries:
            header = entry.header
            if header.identity == model.description.identity and header.tokens == tokens:
                self._shelf.touch(entry)
                return entry
        return None


def make_parking(paths: Paths, settings: CacheSettings) -> Parking:
    """Make the parking that the settings ask for. Touches no disk."""
    ram, disk = park_limits(settings)
    return Parking(Shelf(paths.parks, ram, disk))


def park_limits(settings: CacheSettings) -> tuple[int, int]:
    """Bytes of RAM and of disk that parks may take."""
    if settings.ram_mib is None:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        ram = min(total // _RAM_SHARE, _RAM_MOST)
    else:
        ram = max(0, settings.ram_mib) << 20
    return ram, max(0, settings.disk_mib) << 20


def _same_line(last: tuple[Turn, ...], turns: tuple[Turn, ...]) -> bool:
    """Whether one conversation is the beginning of the other."""
    shorter = min(len(last), len(turns))
    return last[:shorter] == turns[:shorter]
