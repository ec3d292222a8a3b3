"""What loading a model would take now, for whoever asks."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.residents import Residents
from tui_chat.engine.swap.choice import Check, Chooser
from tui_chat.engine.swap.resident import Want
from tui_chat.memory.machine import Machine
from tui_chat.wire.api import ModelInfo, PlanReply, PlanRequest
from tui_chat.wire.plan import Plan


class Plans:
    """Makes plans for the machine and the residents as they are now."""

    def __init__(self, chooser: Chooser, catalogue: Catalogue, residents: Residents) -> None:
        self._chooser = chooser
        self._catalogue = catalogue
        self._residents = residents

    async def reply(self, request: PlanRequest) -> PlanReply:
        """Plan each of the models asked for, each as if it were the only one."""
        machine = await self._chooser.machine()
        plans: dict[str, Plan] = {}
        problems: dict[str, Problem] = {}
        known = await self._catalogue.resolve_all(request.models)
        for model, found in known.items():
            if isinstance(found, Problem):
                problems[model] = found
                continue
            try:
                plans[model] = await self._plan(found, request, machine)
            except BackendError as error:
                problems[model] = error.problem
        return PlanReply(plans, problems, machine.devices)

    async def _plan(self, found: ModelInfo, request: PlanRequest, machine: Machine) -> Plan:
        want = Want(
            model=found.id,
            need=request.need,
            context=request.context,
            kv_type=request.kv_type,
            strategy=request.strategy,
        )
        current = self._residents.find(found.path)
        options = current.options if current else None
        if (
            current is not None
            and current.plan is not None
            and options is not None
            and want.served_by(options)
        ):
            in_memory = {
                "options": options,
                "verdict": "switch now",
                "load_s": 0.0,
                "evicts": (),
                "shrinks": (),
            }
            return msgspec.structs.replace(current.plan, **in_memory)
        wish = self._residents.wish(found, want)
        check = Check.ALWAYS if request.exact else Check.NEVER
        choice = await self._chooser.choose(found, wish, machine, check=check)
        if request.exact and choice.plan.fits:
            await asyncio.to_thread(read_ahead, Path(found.path), choice.plan.page_cache_bytes)
        return choice.plan


def read_ahead(path: Path, wanted: int) -> None:
    """Have the kernel read the beginning of a file that somebody is about to load."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.posix_fadvise(fd, 0, wanted, os.POSIX_FADV_WILLNEED)
    except OSError:
        pass  # a file system that takes no advice
    finally:
        os.close(fd)
