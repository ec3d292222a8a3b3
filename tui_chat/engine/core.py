"""The engine's parts, joined: residents, generations, scheduler, and who is watching."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from tui_chat import __version__
from tui_chat.backends.detect.found import Found
from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.protocol import Backend
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.counting import Counter
from tui_chat.engine.flights import Flights
from tui_chat.engine.generations import Generations
from tui_chat.engine.governor import Governor
from tui_chat.engine.instruments import Instruments
from tui_chat.engine.kept import Keeping
from tui_chat.engine.parking import make_parking
from tui_chat.engine.plans import Plans
from tui_chat.engine.quiet import Quiet
from tui_chat.engine.residents import Residents
from tui_chat.engine.scheduler import Scheduler
from tui_chat.engine.servers.attaching import Attaching
from tui_chat.engine.servers.backend import Backends
from tui_chat.engine.servers.kinds import Kinds, find_servers, identify
from tui_chat.engine.servers.pulls import Pulls
from tui_chat.engine.servers.registry import Servers
from tui_chat.engine.swap.alternatives import Alternatives
from tui_chat.engine.swap.choice import Chooser
from tui_chat.engine.swap.learned import Learned
from tui_chat.engine.swap.ledger import Ledger
from tui_chat.engine.swap.prewarm import Prewarmer
from tui_chat.engine.swap.resident import Table
from tui_chat.engine.swap.wishes import Wishes
from tui_chat.engine.tally import Tally
from tui_chat.engine.watchdog import Watchdog
from tui_chat.library.scan import with_residents
from tui_chat.telemetry.sampler import Sampler
from tui_chat.telemetry.sources import all_sources
from tui_chat.wire.api import PROTOCOL, EngineChanged, EngineInfo, ModelInfo
from tui_chat.wire.health import Health, HealthState
from tui_chat.wire.telemetry import Sample

HOUSEKEEPING_S = 1.0
FIRST_LOOK_S = 0.3
"""Looking takes some 50 ms of a core, which who starts an engine wants for something else first."""
SERVERS_S = 5.0
"""How often servers are asked how they are."""


class Engine:
    """One per user and machine. `leave` is set when it is time to go."""

    def __init__(self, backend: Backend, paths: Paths, settings: Settings) -> None:
        self._prober = Prober()
        kinds = Kinds(self._prober)
        self.servers = Servers(settings, kinds.make, identify, self._find_servers, self._note_change)
        self.pulls = Pulls(self.servers)
        self._catalogue = Catalogue(paths, settings, self.servers)
        self._settings = settings
        self._started = datetime.now(UTC)
        self._changes = 0
        self._changed = asyncio.Event()
        self._watchers = 0
        self._last_busy = time.monotonic()
        self.leave = asyncio.Event()
        self.tally = Tally()
        learned = Learned(paths.state / "learned.msgpack")
        self.parking = make_parking(paths, settings.cache, learned, self._note_change)
        chooser = Chooser(
            Planner(self._prober, paths.cache),
            Table(self._note_change),
            Ledger(),
            learned,
            paths.cache,
            None if settings.models.ram_limit_mib is None else settings.models.ram_limit_mib << 20,
            lambda: self.parking.ram_bytes,
        )
        wishes = Wishes(settings.models)
        others = Alternatives(chooser, self._catalogue)
        attaching = Attaching(self.servers, chooser, wishes)
        self.residents = Residents(
            Backends(backend, self.servers),
            self._catalogue,
            wishes,
            chooser,
            self.parking,
            others,
            self.tally,
            attaching,
        )
        self.plans = Plans(chooser, self._catalogue, wishes, others, attaching)
        self.counter = Counter(self.residents, self._catalogue, self._prober, self.servers)
        self.keeping = Keeping(self.residents, self.parking, learned, self.list_models)
        self.generations = Generations(self._note_change)
        self.flights = Flights(settings.metrics, paths.metrics, lambda: self.instruments.latest, self.tally)
        self.scheduler = Scheduler(self.residents, self.parking, self.flights, self.servers.lane_of)
        prewarmer = Prewarmer(chooser, self.residents.load_quietly) if settings.models.prewarm else None
        self.governor = Governor(settings.governor, lambda: self.residents.holdable, self._note_change)
        self.watchdog = Watchdog(lambda: self.residents.workers, self._note_change)
        there = settings.instruments.enabled
        sources = all_sources(os.getpid()) if there else ()
        self.instruments = Instruments(
            Sampler(sources),
            lambda: self.residents.workers,
            lambda: not self.scheduler.idle,
            self._look,
        )
        self.quiet = Quiet(self.scheduler, self.residents, self.parking, prewarmer)

    @property
    def info(self) -> EngineInfo:
        """Who we are and what we are doing."""
        return EngineInfo(
            version=__version__,
            protocol=PROTOCOL,
            pid=os.getpid(),
            started=self._started,
            idle_exit_s=self._settings.engine.idle_exit_s,
            generations=tuple(g.info for g in self.generations.running),
            residents=self.residents.infos,
            parked=self.parking.models,
        )

    @property
    def health(self) -> Health:
        """How we are, for whoever only wants to know that."""
        status = HealthState.OK
        if self.leave.is_set():
            status = HealthState.LEAVING
        elif any(each.held for each in self.governor.hot):
            status = HealthState.HELD
        ready = tuple(model.id for model in self.residents.infos if model.state.in_memory)
        return Health(status, __version__, os.getpid(), len(self.generations.running), ready)

    async def exposition(self) -> tuple[bytes, str]:
        """All counts and readings in Prometheus' words, and what kind of text that is."""
        sample = await self.instruments.once()
        # Its library takes a tenth of a second to import. Writing takes a millisecond, and must be done here:
        # what is counted changes between any two steps of this loop.
        exposition = await asyncio.to_thread(importlib.import_module, "tui_chat.engine.exposition")
        parked, hot = self.parking.ram_bytes, self.governor.hot
        state = exposition.State(self.info, self.scheduler.queued, self.tally, hot, parked, sample)
        return exposition.write(state), exposition.CONTENT_TYPE

    async def list_models(self) -> list[ModelInfo]:
        """Models on this machine, with what the engine knows in place of what the disk says."""
        return with_residents(await self._catalogue.list(), self.residents.infos, self.parking.models)

    def _note_change(self) -> None:
        self._changes += 1
        self._last_busy = time.monotonic()
        self._changed.set()
        self._changed = asyncio.Event()

    def _look(self, sample: Sample | None) -> None:
        self.governor.look(sample)
        self.watchdog.look(sample)
        if sample is not None:
            self.flights.look(sample)

    async def watch(self) -> AsyncIterator[tuple[int, EngineChanged]]:
        """Yield the state now and after every change; watching keeps the engine from leaving."""
        self._watchers += 1
        try:
            while not self.leave.is_set():
                changed, seq = self._changed, self._changes
                info = self.info
                yield (
                    seq,
                    EngineChanged(
                        info.residents,
                        info.generations,
                        info.parked,
                        self.governor.hot,
                        self.watchdog.scarce,
                        self.servers.version,
                    ),
                )
                await changed.wait()
        finally:
            self._watchers -= 1
            self._last_busy = time.monotonic()

    async def leave_when_idle(self) -> None:
        """Set `leave` once nothing has run, waited or watched for the configured time."""
        limit = self._settings.engine.idle_exit_s
        while True:
            if self._watchers or self.pulls.running or not self.scheduler.idle:
                self._last_busy = time.monotonic()
            remaining = self._last_busy + limit - time.monotonic()
            if remaining <= 0:
                self.leave.set()
                return
            await asyncio.sleep(min(remaining, 1.0) + 0.01)

    async def _find_servers(self, known: Sequence[str]) -> Sequence[Found]:
        """What runs on this machine beside us, but for what is at the URLs in `known`."""
        sample = await self.instruments.once()
        ours = {os.getpid(), *(worker.pid for worker in self.residents.workers)}
        return await find_servers(self._settings.detect, known, sample.gpus if sample else (), ours)

    async def watch_servers(self) -> None:
        """Look at servers at the start, and then as long as somebody watches or has a model of theirs."""
        await asyncio.sleep(FIRST_LOOK_S)
        self.servers.begin_look()
        while True:
            await asyncio.sleep(SERVERS_S)
            if self._watchers or any(each.server for each in self.residents.infos):
                self.servers.begin_look()

    async def keep_house(self) -> None:
        """Forget the dead, and unload what has been idle for long enough, as long as the engine lives."""
        while True:
            await self.residents.drop_dead()
            await self.residents.expire()
            expiry = self.residents.next_expiry
            wait = HOUSEKEEPING_S if expiry is None else expiry - time.monotonic()
            await asyncio.sleep(min(max(wait, 0.01), HOUSEKEEPING_S))

    async def close(self) -> None:
        """Settle what runs, give all memory back, and let the watchers go."""
        self.plans.close()
        await self.pulls.close()
        await self.scheduler.leave()
        await self.flights.close()
        await self.residents.unload_all()
        await self.servers.close()
        await self._prober.close()
        await self.parking.close()
        self._note_change()
