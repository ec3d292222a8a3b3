"""Parks models' KV caches and brings them back: the shelf as the engine uses it.

Call `bring_back` before an answer, `keep` before a model goes, and `rest` while nobody waits. None of them
ever fails: a park is only there to save time, and without it the model reads the conversation anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from array import array
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary, WeakSet

import msgspec

from tui_chat.backends.protocol import NEW, BackendError, Begun, Held, LoadedModel, ParkableModel
from tui_chat.config.paths import Paths
from tui_chat.config.settings import CacheSettings
from tui_chat.engine.owners import Owners
from tui_chat.engine.swap.learned import Learned
from tui_chat.memory.parkfile import ParkHeader, ParkLabel
from tui_chat.memory.sequences import common_length
from tui_chat.store.parks.entries import ParkEntry, Place
from tui_chat.store.parks.shelf import Shelf
from tui_chat.wire.api import Turn
from tui_chat.wire.cache import CacheInfo

T = TypeVar("T")

log = logging.getLogger(__name__)

_RAM_SHARE, _RAM_MOST = 10, 2 << 30
WORTHWHILE = 32
"""Tokens; fewer are read as quickly as they are parked or brought back."""
_USUAL_TPS = 500.0
"""Tokens per second taken for the reading of a model that has never read here."""
GROWN = 1.25
LEFT_S = 300.0
"""Of a conversation that has no room in RAM, a park on disk is renewed while its model stays only when it has
grown by a quarter, or once nobody has gone on with it for five minutes. So all of its parks together write
five times its size at most, and not its size at each turn, which would wear an SSD out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    """What a model was last made ready for. `path` is what is learned of it by."""

    turns: tuple[Turn, ...]
    label: ParkLabel
    path: str


class Parking:
    """Keeps the KV caches of conversations that are not being answered.

    Attributes:
        models: Ids of the models that something is parked of, as far as anybody has looked.
        ram_bytes: RAM that parks take, and give back as soon as a model needs it.
        owners: Whose the conversations are that models were made ready for.
    """

    def __init__(self, shelf: Shelf, learned: Learned, on_change: Callable[[], None] = lambda: None) -> None:
        self.models: tuple[str, ...] = ()
        self.ram_bytes = 0
        self.owners = Owners()
        self._seen: tuple[ParkEntry, ...] = ()
        self._looked = False
        self._shelf = shelf
        self._learned = learned
        self._on_change = on_change
        self._turn = asyncio.Lock()
        self._last: WeakKeyDictionary[LoadedModel, _Last] = WeakKeyDictionary()
        self._kept: WeakKeyDictionary[LoadedModel, _Last] = WeakKeyDictionary()
        self._postponed: WeakKeyDictionary[LoadedModel, _Last] = WeakKeyDictionary()
        self._private: WeakSet[LoadedModel] = WeakSet()
        self._hurried = threading.Event()
        self._writing: asyncio.Task[ParkHeader] | None = None

    async def bring_back(
        self,
        model: LoadedModel,
        turns: tuple[Turn, ...],
        label: ParkLabel,
        path: str,
        begun: Begun = NEW,
    ) -> int:
        """Make `model` as ready as can be for answering `turns`; return how many tokens were restored.

        An answer that had `begun` belongs to them.

        What its cache holds of another conversation is parked first. Nothing is asked of the model when
        `turns` go on from, or back into, what it answered last.
        """
        self.hurry()
        self.owners.note(label)
        if label.session is None:
            self._private.add(model)
        last = self._last.get(model)
        now = self._last[model] = _Last(turns, label, path)
        if not isinstance(model, ParkableModel) or (last and _same_line(last.turns, turns)):
            return 0
        return await self._whole(self._bring_back(model, turns, begun, last or now)) or 0

    async def keep(self, model: LoadedModel) -> ParkEntry | None:
        """Park what the cache of `model` holds, if it is worth it; return its entry.

        A conversation without a session never is: it is to be kept nowhere, or cannot be gone on with.
        """
        last = self._last.get(model)
        if last is None or not isinstance(model, ParkableModel) or model.death is not None:
            return None
        if last.label.session is None:
            return None
        return await self._whole(self._keep(model, last))

    async def rest(self, idle: Iterable[tuple[LoadedModel, float]]) -> None:
        """Park what models have read since they were parked, and bring RAM back within its budget.

        It is given up as soon as anybody wants something of parking, or says `hurry`.

        Args:
            idle: Models that nobody uses, and for how many seconds.
        """
        due = [each for each in idle if self._is_due(*each)]
        if not due and not self._shelf.overfull:
            return
        self._hurried.clear()
        await asyncio.shield(asyncio.create_task(self._rest(due)))

    def hurry(self) -> None:
        """Give up what `rest` does: somebody waits."""
        self._hurried.set()
        if self._writing is not None:
            self._writing.cancel()

    async def look(self) -> None:
        """Find out what is parked."""
        await self._whole(asyncio.to_thread(lambda: self._shelf.entries), patient=True)
        self._looked = True

    async def entries(self) -> tuple[ParkEntry, ...]:
        """All that is parked. Waits for the first look at the disk, and never for a model."""
        if not self._looked:
            await self.look()
        return self._seen

    async def info(self) -> CacheInfo:
        """What is parked."""
        info = await self._whole(asyncio.to_thread(self._shelf.describe), patient=True)
        assert info is not None, "describing asks no model"
        return info

    async def clear(self, model: str | None) -> CacheInfo:
        """Discard what is parked, of all models or of those whose name contains `model`; say what it was."""
        info = await self._whole(asyncio.to_thread(self._shelf.clear, model))
        assert info is not None, "clearing asks no model"
        return info

    async def give_ram_back(self, size: int) -> None:
        """Take `size` bytes of parks out of RAM, because a model needs them."""
        await self._whole(asyncio.to_thread(self._shelf.give_ram_back, size))

    async def close(self) -> None:
        """Bring to disk what may stay; call it when the engine leaves."""
        await self._whole(asyncio.to_thread(self._shelf.close))

    async def _whole(self, work: Coroutine[None, None, T], *, patient: bool = False) -> T | None:
        """Do `work` to its end even if the caller gives up: a worker may still write into its slot.

        It has `rest` give way, unless `patient`: looking at parks must not keep them from being made.
        """
        if not patient:
            self.hurry()

        async def do() -> T | None:
            async with self._turn:
                try:
                    return await work
                except BackendError as error:
                    log.warning("parking: %s", error.problem.what)
                    return None
                finally:
                    self._note()

        return await asyncio.shield(asyncio.create_task(do()))

    def _note(self) -> None:
        """Know what is parked without looking; called while nobody changes the shelf."""
        before = self.models
        seen = self._seen = self._shelf.seen
        self.ram_bytes = sum(entry.size for entry in seen if entry.place is Place.RAM)
        self.models = tuple(sorted({entry.header.label.model for entry in seen}))
        if self.models != before:
            self._on_change()

    async def _bring_back(
        self, model: ParkableModel, turns: tuple[Turn, ...], begun: Begun, held_by: _Last
    ) -> int:
        fit = await model.fit(turns, begun)
        displaced = fit.held >= fit.reusable + WORTHWHILE
        if displaced and held_by.label.session is not None and self._kept.get(model) is not held_by:
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
        started = time.monotonic()
        try:
            tokens = await model.restore(entry.path)
        except BackendError:
            await asyncio.to_thread(self._shelf.discard, entry)
            raise
        self._learned.restored(entry.size, time.monotonic() - started)
        self.owners.note(entry.header.label)
        await asyncio.to_thread(self._shelf.touch, entry)
        log.info("brought back %d tokens of %s from %s", tokens, entry.header.label.model, entry.place)
        return tokens

    async def _keep(self, model: ParkableModel, last: _Last) -> ParkEntry | None:
        held = await model.held()
        return await self._park(model, held, last) if self._may_park(model, held) else None

    async def _rest(self, due: list[tuple[LoadedModel, float]]) -> None:
        async with self._turn:
            try:
                for model, idle_s in due:
                    assert isinstance(model, ParkableModel), "others are never due"
                    await self._keep_idle(model, self._last[model], idle_s)
                await asyncio.to_thread(self._shelf.trim, self._hurried.is_set)
            except BackendError as error:
                log.warning("parking: %s", error.problem.what)
            except asyncio.CancelledError:  # of writing alone: nobody else has this task
                log.info("parking was given up for something more urgent")
            finally:
                self._note()

    def _is_due(self, model: LoadedModel, idle_s: float) -> bool:
        """Whether an idle model has read something since, of a conversation that somebody may go on with."""
        last = self._last.get(model)
        if last is None or self._kept.get(model) is last or last.label.session is None:
            return False
        postponed = idle_s < LEFT_S and self._postponed.get(model) is last
        return isinstance(model, ParkableModel) and model.death is None and not postponed

    async def _keep_idle(self, model: ParkableModel, last: _Last, idle_s: float) -> None:
        held = await model.held()
        if self._may_park(model, held):
            if idle_s < LEFT_S and await asyncio.to_thread(self._would_wear, model, held):
                self._postponed[model] = last
                return
            await self._park(model, held, last, idle=True)
        if not self._hurried.is_set():
            self._kept[model] = last

    def _may_park(self, model: ParkableModel, held: Held) -> bool:
        """Whether it is long enough, and certainly nothing that is to be kept nowhere.

        An answer may have failed before anything of its own conversation was read; what the cache then
        holds is still the one before.
        """
        if model in self._private:
            if self.owners.of(held.tag) is None:
                return False
            self._private.discard(model)
        return len(held.tokens) >= WORTHWHILE

    def _would_wear(self, model: ParkableModel, held: Held) -> bool:
        """Whether parking would write to disk what is there already for the most part."""
        if self._shelf.stays_in_ram(held.size):
            return False
        tokens, identity = array("i", held.tokens), model.description.identity
        same = (e.header for e in self._shelf.entries if e.header.identity == identity)
        there = max((header.reusable(common_length(header.tokens, tokens)) for header in same), default=0)
        return len(tokens) < GROWN * there

    async def _park(
        self, model: ParkableModel, held: Held, last: _Last, *, idle: bool = False
    ) -> ParkEntry | None:
        known = await asyncio.to_thread(self._parked_already, model, held)
        saves_s = self._saves(held, last.path)
        if known is not None or saves_s <= 0:
            return known
        slot = await asyncio.to_thread(self._shelf.slot, held.size, saves_s)
        if slot is None:
            return None
        label = msgspec.structs.replace(last.label, saves_s=saves_s)
        writing = asyncio.create_task(model.park(slot.path, label))
        if idle:
            self._writing = writing
            if self._hurried.is_set():
                writing.cancel()
        try:
            header = await writing
        except BaseException:
            await asyncio.to_thread(self._shelf.abandon, slot)
            raise
        finally:
            self._writing = None
        log.info("parked %d tokens of %s, %d MiB", header.count, label.model, held.size >> 20)
        return await asyncio.to_thread(self._shelf.put, slot, header)

    def _saves(self, held: Held, path: str) -> float:
        """Seconds that restoring `held` is expected to save over reading it anew; 0 or less does not pay."""
        count = len(held.tokens)
        read_s = self._learned.read_s(path, count) or count / _USUAL_TPS
        return read_s - (self._learned.restore_s(held.size) or 0.0)

    def _parked_already(self, model: ParkableModel, held: Held) -> ParkEntry | None:
        tokens = array("i", held.tokens)
        for entry in self._shelf.entries:
            header = entry.header
            if header.identity == model.description.identity and header.tokens == tokens:
                self._shelf.touch(entry)
                return entry
        return None


def make_parking(
    paths: Paths, settings: CacheSettings, learned: Learned, on_change: Callable[[], None]
) -> Parking:
    """Make the parking that the settings ask for. Touches no disk."""
    return Parking(Shelf(paths.parks, *park_limits(settings)), learned, on_change)


def usual_ram_limit(total: int) -> int:
    """Bytes of RAM for parks where nobody said how many, on a machine that has `total`."""
    return min(total // _RAM_SHARE, _RAM_MOST)


def park_limits(settings: CacheSettings) -> tuple[int, int | None]:
    """Bytes of RAM and of disk that parks may take; None for what is usual on such a disk."""
    if settings.ram_mib is None:
        ram = usual_ram_limit(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    else:
        ram = max(0, settings.ram_mib) << 20
    return ram, None if settings.disk_mib is None else max(0, settings.disk_mib) << 20


def _same_line(last: tuple[Turn, ...], turns: tuple[Turn, ...]) -> bool:
    """Whether one conversation is the beginning of the other."""
    shorter = min(len(last), len(turns))
    return last[:shorter] == turns[:shorter]
