"""Where parked KV caches wait: the newest in RAM, the others on disk, none for long beyond its budget.

What goes in goes to RAM, where there is some to spare, because somebody may wait for it; `trim` brings to
disk what is too much there, when nobody does. The RAM tier are memory files of this process. A worker
reaches them by our process id, and they are gone with us, whatever ends us. The disk tier needs no index:
each file says itself what it is.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
from array import array
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.memory.available import available_ram
from tui_chat.memory.parkfile import KvIdentity, ParkHeader, file_size
from tui_chat.store.parks.disk import (
    adopt,
    copy_into,
    create_temporary,
    free_bytes,
    parked_in,
    room_left,
    usual_limit,
)
from tui_chat.store.parks.entries import ParkEntry, Place, worth
from tui_chat.wire.cache import CacheInfo

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for one park file: an empty file at `path`, a descriptor of ours or a temporary file."""

    path: str
    fd: int | None = None
    temporary: Path | None = None


class Shelf:
    """The parked caches of one engine. Blocks on the disk; one caller at a time.

    Args:
        folder: Of the disk tier; made when it is needed.
        ram_limit: Bytes of RAM that parks may take for longer than a moment; 0 for none at all.
        disk_limit: Bytes of disk that they may take; None for what is usual on such a disk.
        spare_ram: Says how many bytes of RAM could be taken now; less is kept there when memory is short.
    """

    def __init__(
        self, folder: Path, ram_limit: int, disk_limit: int | None, spare_ram: Callable[[], int] | None = None
    ) -> None:
        self._folder = folder
        self._ram_limit = ram_limit
        self._fixed_disk_limit = disk_limit
        self._spare_ram = spare_ram or _spare_ram
        self._fds: dict[str, int] = {}
        self._entries: dict[str, ParkEntry] | None = None

    @property
    def entries(self) -> tuple[ParkEntry, ...]:
        """All that is parked, the longest unused first. The first look reads the folder and tidies it."""
        return tuple(sorted(self._known().values(), key=lambda entry: entry.used))

    @property
    def seen(self) -> tuple[ParkEntry, ...]:
        """All that is parked as far as anybody has looked; reads nothing."""
        return tuple((self._entries or {}).values())

    @property
    def overfull(self) -> bool:
        """Whether `trim` would do anything."""
        return sum(entry.size for entry in self.seen if entry.place is Place.RAM) > self._ram_limit

    def describe(self) -> CacheInfo:
        """Say what is parked, against the budgets."""
        return CacheInfo(
            entries=tuple(entry.info for entry in reversed(self.entries)),
            ram_bytes=self.taken(Place.RAM),
            ram_limit=self._ram_limit,
            disk_bytes=self.taken(Place.DISK),
            disk_limit=self._disk_limit(),
        )

    def taken(self, place: Place) -> int:
        """Bytes that the parks in `place` take."""
        return sum(entry.size for entry in self._known().values() if entry.place is place)

    def stays_in_ram(self, size: int) -> bool:
        """Whether a park of `size` bytes would wait in RAM, and not wear the disk."""
        return size <= min(self._ram_limit, self._spare_ram())

    def slot(self, size: int, saves_s: float = 0.0) -> Slot | None:
        """Give room for a park file of `size` bytes that saves so many seconds, or None."""
        passing = bool(self._ram_limit) and size <= self._spare_ram() and self._disk_could_take(size)
        if passing or self.stays_in_ram(size):
            fd = os.memfd_create("tui-chat-park", os.MFD_CLOEXEC)
            return Slot(f"/proc/{os.getpid()}/fd/{fd}", fd=fd)
        if not self._make_disk_room(size, worth(saves_s, size, 0.0)):
            return None
        try:
            temporary = create_temporary(self._folder)
        except OSError as error:
            log.warning("parking on disk is impossible: %s", error)
            return None
        return Slot(str(temporary), temporary=temporary)

    def put(self, slot: Slot, header: ParkHeader) -> ParkEntry | None:
        """Take over what was written into `slot`, instead of what it makes superfluous; None if lost."""
        name, now, size = secrets.token_hex(8), datetime.now(UTC), file_size(header)
        for entry in self.entries:
            if _continues(header, entry.header):
                self.discard(entry)
        if slot.fd is not None:
            self._fds[name] = slot.fd
            entry = ParkEntry(name, header, slot.path, size, Place.RAM, now)
        else:
            assert slot.temporary is not None, "a slot is in RAM or on disk"
            try:
                path = adopt(slot.temporary, name)
            except OSError as error:
                log.warning("a parked conversation is lost: %s", error)
                self.abandon(slot)
                return None
            entry = ParkEntry(name, header, str(path), size, Place.DISK, now)
        self._known()[name] = entry
        return entry

    def abandon(self, slot: Slot) -> None:
        """Take back a slot that nothing usable was written into."""
        if slot.fd is not None:
            os.close(slot.fd)
        elif slot.temporary is not None:
            with suppress(OSError):
                slot.temporary.unlink()

    def best(
        self, identity: KvIdentity, prompt: tuple[int, ...], context: int
    ) -> tuple[ParkEntry, int] | None:
        """Find the park that spares most of `prompt`, and how many of its tokens.

        Args:
            identity: Of the model that is to take it; all of it must match.
            prompt: The whole prompt's tokens.
            context: Tokens the model has room for; longer parks do not fit.
        """
        tokens = array("i", prompt)
        found: tuple[ParkEntry, int] | None = None
        for entry in self.entries:
            if _outdated(entry.header.identity, identity):
                self.discard(entry)  # no library that is installed will ever read it
            elif entry.header.count <= context:
                reusable = entry.reusable(identity, tokens)
                if reusable > (found[1] if found else 0):
                    found = entry, reusable
        return found

    def touch(self, entry: ParkEntry) -> None:
        """Note that a park was of use."""
        if entry.id in self._known():
            self._known()[entry.id] = replace(entry, used=datetime.now(UTC))
            if entry.place is Place.DISK:
                with suppress(OSError):
                    os.utime(entry.path)

    def discard(self, entry: ParkEntry) -> None:
        """Forget a park and give its room back."""
        self._known().pop(entry.id, None)
        if entry.id in self._fds:
            os.close(self._fds.pop(entry.id))
        elif entry.place is Place.DISK:
            with suppress(OSError):
                Path(entry.path).unlink(missing_ok=True)

    def clear(self, model: str | None = None) -> CacheInfo:
        """Discard all, or those of the models whose name contains `model`; say what was discarded."""
        going = [e for e in self.entries if model is None or model.casefold() in e.info.model.casefold()]
        sizes = {place: sum(e.size for e in going if e.place is place) for place in Place}
        for entry in going:
            self.discard(entry)
        return CacheInfo(
            entries=tuple(entry.info for entry in going),
            ram_bytes=sizes[Place.RAM],
            ram_limit=self._ram_limit,
            disk_bytes=sizes[Place.DISK],
            disk_limit=self._disk_limit(),
        )

    def trim(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Bring RAM back within its budget: to disk goes what is too large for it, then the longest unused.

        Ends early, with every park where it was, when `stop` says so.
        """
        too_large_first = sorted(self.entries, key=lambda entry: entry.size <= self._ram_limit)
        self._spill_until(self._ram_limit, too_large_first, stop)

    def give_ram_back(self, size: int) -> None:
        """Take `size` bytes out of RAM, the longest unused first: a model needs them."""
        self._spill_until(max(0, self.taken(Place.RAM) - size), self.entries)

    def close(self) -> None:
        """Bring what is in RAM to disk, as far as it is worth it there."""
        if self._entries is not None:
            self._spill_until(0, self.entries)

    def _known(self) -> dict[str, ParkEntry]:
        if self._entries is None:
            self._entries = {entry.id: entry for entry in parked_in(self._folder, tidy=True)}
            self._make_disk_room(0, math.inf)
        return self._entries

    def _spill_until(
        self, goal: int, entries: Iterable[ParkEntry], stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Move parks from RAM to disk, in the order of `entries`, until they take `goal` bytes at most."""
        for entry in entries:
            if self.taken(Place.RAM) <= goal:
                return
            if entry.place is Place.RAM and not self._spill(entry, stop):
                return

    def _spill(self, entry: ParkEntry, stop: Callable[[], bool]) -> bool:
        """Move a park from RAM to disk; where it may not go there, it goes altogether. False if stopped."""
        path: Path | None = None
        if self._make_disk_room(entry.size, entry.worth(datetime.now(UTC))):
            try:
                temporary = create_temporary(self._folder)
                try:
                    if not copy_into(entry.path, temporary, stop):
                        temporary.unlink(missing_ok=True)
                        return False
                    path = adopt(temporary, entry.id)
                except OSError:
                    temporary.unlink(missing_ok=True)
                    raise
                os.utime(path, (entry.used.timestamp(),) * 2)
            except OSError as error:
                log.warning("a parked conversation cannot go to disk: %s", error)
        self.discard(entry)
        if path is not None:
            self._known()[entry.id] = replace(entry, path=str(path), place=Place.DISK)
        return True

    def _disk_limit(self) -> int:
        if self._fixed_disk_limit is not None:
            return self._fixed_disk_limit
        return usual_limit(free_bytes(self._folder) + self.taken(Place.DISK))

    def _disk_could_take(self, size: int) -> bool:
        return size <= min(self._disk_limit(), room_left(self._folder) + self.taken(Place.DISK))

    def _make_disk_room(self, size: int, value: float) -> bool:
        """Have `size` bytes fit under cap and floor, if discarding what is worth no more than `value` does.

        As in caches of files of different size and cost (GreedyDual-Size), what saves few seconds for its
        bytes goes first. Its worth halves in time, and so what nobody comes back to goes in the end.
        """
        on_disk = [entry for entry in self.entries if entry.place is Place.DISK]
        missing = max(self.taken(Place.DISK) + size - self._disk_limit(), size - room_left(self._folder))
        now, going = datetime.now(UTC), list[ParkEntry]()
        for entry in sorted(on_disk, key=lambda each: each.worth(now)):
            if missing <= 0 or entry.worth(now) > value:
                break
            going.append(entry)
            missing -= entry.size
        if missing > 0 and size:
            return False
        for entry in going:
            self.discard(entry)
        return True


def _continues(new: ParkHeader, old: ParkHeader) -> bool:
    """Whether `new` holds all that `old` holds, and perhaps more."""
    return new.identity == old.identity and new.tokens[: old.count] == old.tokens


def _outdated(parked: KvIdentity, current: KvIdentity) -> bool:
    same_model = (parked.fingerprint, parked.weights) == (current.fingerprint, current.weights)
    return same_model and parked.backend != current.backend


def _spare_ram() -> int:
    """Half of what is available: the other half is for what comes next."""
    return available_ram() // 2
