"""Models of servers among our residents: those that we have asked for, and those that others have loaded."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from tui_chat.backends.protocol import BackendError, LoadedModel
from tui_chat.backends.servers.server import Server
from tui_chat.engine.servers.listing import info_of, plan_of
from tui_chat.engine.servers.registry import Servers
from tui_chat.engine.swap.choice import Chooser
from tui_chat.engine.swap.problems import answering, given_up
from tui_chat.engine.swap.resident import Progress, Resident, Want
from tui_chat.engine.swap.wishes import Wishes, grown
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import ALL_LAYERS, DeviceSpec, DeviceUse, LoadOptions, Plan, Source, Strategy
from tui_chat.wire.servers import Control, ServedModel, ServerState

log = logging.getLogger(__name__)


class Attaching:
    """Makes models ready whose memory is not ours to plan, and keeps the table true to the servers."""

    def __init__(self, servers: Servers, chooser: Chooser, wishes: Wishes) -> None:
        self._servers = servers
        self._chooser = chooser
        self._table = chooser.table
        self._ledger = chooser.ledger
        self._wishes = wishes
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loading: dict[str, asyncio.Future[LoadedModel]] = {}
        self._given_up: set[str] = set()
        servers.listeners.append(self.sync)

    async def acquire(self, found: ModelInfo, want: Want, on_progress: Progress) -> Resident:
        """Return the model of a server ready to answer, as wanted where the server lets that be said.

        Raises:
            BackendError: The server cannot be reached, no longer has it, or cannot load it.
        """
        async with self._changing[found.path]:
            server, served = self._servers.get(found.server), self._servers.served(found)
            context = self._context(server, served, want)
            current = self._table.get(found.path)
            model = current.model if current is not None else None
            if current is not None and model is not None and context in (0, model.description.context):
                return current
            if current is not None and current.busy:
                raise BackendError(answering(found))
            return await self._load(found, server, served, context, want, on_progress)

    async def _load(
        self,
        found: ModelInfo,
        server: Server,
        served: ServedModel,
        context: int,
        want: Want,
        on_progress: Progress,
    ) -> Resident:
        keep_s = self._wishes.keep_alive_s(found) if want.keep_alive_s is None else want.keep_alive_s
        shown = msgspec.structs.replace(found, state=ModelState.LOADING)
        before = self._table.get(found.path)
        self._table.put(Resident(info=shown, keep_alive_s=-1.0))

        def progress(fraction: float) -> None:
            self._table.change(found.path, info={"progress": round(fraction, 3)})
            on_progress(found.id, fraction, None)

        deep = server.info.control is Control.DEEP
        options = LoadOptions(context=context, gpu_layers=ALL_LAYERS) if context else None
        work = server.load(served, options, keep_s if deep else None, progress)
        task = self._loading[found.path] = asyncio.ensure_future(work)
        try:
            model = await task
        except BaseException as error:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._table.remove(found.path) if before is None else self._table.put(before)
            if isinstance(error, asyncio.CancelledError) and found.path in self._given_up:
                raise BackendError(given_up(found)) from None
            raise
        finally:
            self._given_up.discard(found.path)
            del self._loading[found.path]
        return self._put(found, model, keep_s if deep else -1.0)

    def give_up(self, path: str) -> bool:
        """Stop loading the model at `path`, where that is going on; says whether it was."""
        task = self._loading.get(path)
        if task is None:
            return False
        self._given_up.add(path)
        task.cancel()
        return True

    def _put(
        self, found: ModelInfo, model: LoadedModel, keep_alive_s: float, plan: Plan | None = None
    ) -> Resident:
        described = model.description
        info = msgspec.structs.replace(
            found,
            state=ModelState.READY,
            problem=None,
            context=described.context,
            options=described.options,
            devices=plan.devices if plan else (),
            real_bytes=model.real_bytes(),
        )
        return self._table.put(
            Resident(info=info, plan=plan, model=model, load_ms=described.load_ms, keep_alive_s=keep_alive_s)
        )

    def _context(self, server: Server, served: ServedModel, want: Want) -> int:
        """The context to ask for, in tokens; 0 where that is the server's own choice."""
        if server.info.control is not Control.DEEP:
            return 0
        trained = served.trained_context
        if want.context:
            return min(want.context, trained) if trained else want.context
        if served.loaded and served.context >= (min(want.need, trained) if trained else want.need):
            return served.context
        wished = max(self._wishes.context, grown(want.need, served.context))
        return min(wished, trained) if trained else wished

    def plan(self, found: ModelInfo, want: Want) -> Plan:
        """What asking the model comes to.

        Raises:
            BackendError: The server cannot be reached, or no longer has it.
        """
        server, served = self._servers.get(found.server), self._servers.served(found)
        context = self._context(server, served, want)
        now = served.context if served.loaded else 0
        return plan_of(server.info, found, context or found.context, reloads=0 < now != context > 0)

    async def unload(self, found: ModelInfo) -> None:
        """Have its server give the model's memory back.

        Raises:
            BackendError: The server cannot, or is still answering somebody with it.
        """
        served = self._servers.served(found)
        server = self._servers.get(found.server)
        await server.unload(served.name)
        self._forget(found.path)
        await server.look()
        self._servers.note()

    async def keep(self, resident: Resident, keep_alive_s: float) -> None:
        """Tell a model's server how long to keep it when idle; negative stays."""
        try:
            server, served = self._servers.get(resident.info.server), self._servers.served(resident.info)
            if server.info.control is Control.DEEP:
                known = resident.model.description.options if resident.model else None
                model = await server.load(served, known, keep_alive_s, lambda _: None)
                self._table.change(resident.info.path, model=model)  # it says so with each answer from now on
        except BackendError as error:
            log.warning("%s may not stay: %s", resident.id, error.problem.what)

    def _forget(self, path: str) -> None:
        self._ledger.release(path)
        self._table.remove(path)

    async def sync(self, server: Server, asked_at: float) -> None:
        """Have the table agree with what `server` said when it was asked at `asked_at` (monotonic)."""
        info = server.info
        models = {each.path: (each, served) for served in info.models for each in (info_of(info, served),)}
        for resident in self._table:
            if resident.info.server != info.name or resident.model is None or resident.used >= asked_at:
                continue
            if not resident.info.state.in_memory or resident.busy:
                continue
            found, served = models.get(resident.info.path, (None, None))
            if served is None or served.loaded is False or info.state is ServerState.DOWN:
                log.info("%s is no longer loaded", resident.id)
                self._forget(resident.info.path)
            elif found is not None and found.real_bytes != resident.info.real_bytes:
                self._table.change(resident.info.path, info={"real_bytes": found.real_bytes})
        if info.control is Control.DEEP and info.here and info.state is ServerState.UP:
            for found, served in models.values():
                if served.loaded and self._table.get(found.path) is None:
                    await self._adopt(server, found, served)

    async def _adopt(self, server: Server, found: ModelInfo, served: ServedModel) -> None:
        """Count a model that somebody else has loaded among those that take memory here, and may go."""
        machine = await self._chooser.machine(found)
        plan = _adopted(found, served, machine.devices)
        if self._table.get(found.path) is None:  # nobody has asked for it meanwhile
            self._put(found, server.attach(served), -1.0, plan)


def _adopted(found: ModelInfo, served: ServedModel, devices: Sequence[DeviceSpec]) -> Plan:
    """What a model takes that its server has placed, as far as that is told: VRAM, and the rest in RAM.

    A server that uses several GPUs does not say how much of which: it is taken to be spread evenly. Ollama
    says that all is on GPUs where it could not find out, so that without GPUs it is in RAM.
    """
    *gpus, ram = devices
    room = sum(gpu.total_bytes for gpu in gpus)
    taken = [served.vram_bytes * gpu.total_bytes // room for gpu in gpus] if room else []
    rest = served.ram_bytes + (0 if room else served.vram_bytes)
    uses = tuple(
        DeviceUse(
            name=device.name,
            kind=device.kind,
            layers=0,
            weights_bytes=size,
            kv_bytes=0,
            compute_bytes=0,
            overhead_bytes=0,
            free_bytes=device.free_bytes + size,
        )
        for device, size in zip((*gpus, ram), (*taken, rest), strict=True)
    )
    return Plan(
        model=found.id,
        strategy=Strategy.BALANCED,
        options=LoadOptions(context=served.context),
        fits=True,
        reason=f"{found.server} has loaded it.",
        devices=uses,
        source=Source.SERVER,
        verdict="switch now",
        anonymous_bytes=rest,
        load_s=0.0,
    )
