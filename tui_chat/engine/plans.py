"""What loading a model would take now, for whoever asks: the switcher, the command line, the swap manager."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tui_chat.backends.llamacpp.build import gpu_kinds
from tui_chat.backends.llamacpp.planning import Planner, ram_bandwidth
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem
from tui_chat.config.settings import Settings
from tui_chat.engine.catalogue import Catalogue
from tui_chat.library.files import files_of
from tui_chat.memory.devices import read_machine
from tui_chat.memory.gguf import GgufError
from tui_chat.memory.machine import Machine
from tui_chat.memory.placement import Wish
from tui_chat.wire.api import ModelInfo, PlanReply, PlanRequest
from tui_chat.wire.plan import Plan, Strategy


class Plans:
    """Makes plans for the machine as it is now."""

    def __init__(self, planner: Planner, catalogue: Catalogue, settings: Settings, cache: Path) -> None:
        self._planner = planner
        self._catalogue = catalogue
        self._settings = settings
        self._cache = cache
        self._bandwidth: float | None = None

    async def reply(self, request: PlanRequest) -> PlanReply:
        """Plan each of the models asked for, each as if it were the only one."""
        machine = await self.machine()
        plans: dict[str, Plan] = {}
        problems: dict[str, Problem] = {}
        for model in request.models:
            try:
                found = await self._catalogue.resolve(model)
                plans[model] = await self.plan(found, self.wish(request), machine, exact=request.exact)
            except BackendError as error:
                problems[model] = error.problem
        return PlanReply(plans, problems, machine.devices)

    async def plan(self, found: ModelInfo, wish: Wish, machine: Machine, *, exact: bool = True) -> Plan:
        """Plan to load the model `found`. Raises `BackendError`."""
        make = self._planner.plan if exact else self._planner.sketch
        try:
            files = await asyncio.to_thread(files_of, self._catalogue.path(found))
            return await make(found.id, [file.path for file in files], wish, machine)
        except GgufError as error:
            raise BackendError(error.problem) from error

    async def machine(self) -> Machine:
        """The devices as they are now."""
        if self._bandwidth is None:
            self._bandwidth = await asyncio.to_thread(ram_bandwidth, self._cache)
        return await asyncio.to_thread(read_machine, gpu_kinds(), self._bandwidth)

    def wish(self, request: PlanRequest) -> Wish:
        """What a request leaves open is as configured."""
        return Wish(
            strategy=request.strategy or Strategy.BALANCED,
            need=request.need,
            desired=self._settings.models.context,
            context=request.context,
            kv_type=request.kv_type,
        )
