"""What loading a model would take now, for whoever asks."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui_chat.backends.protocol import BackendError, ParkableModel
from tui_chat.chat.model import Problem
from tui_chat.engine.ahead import ReadAhead
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.servers.attaching import Attaching
from tui_chat.engine.swap.alternatives import Alternatives
from tui_chat.engine.swap.choice import Check, Chooser
from tui_chat.engine.swap.need import need_of
from tui_chat.engine.swap.resident import Resident, Want
from tui_chat.engine.swap.wishes import Wishes
from tui_chat.memory.machine import Machine
from tui_chat.wire.api import ModelInfo, Need, PlanReply, PlanRequest
from tui_chat.wire.plan import Plan


class Plans:
    """Makes plans for the machine and the residents as they are now."""

    def __init__(
        self,
        chooser: Chooser,
        catalogue: Catalogue,
        wishes: Wishes,
        alternatives: Alternatives,
        attaching: Attaching,
    ) -> None:
        self._attaching = attaching
        self._alternatives = alternatives
        self._chooser = chooser
        self._catalogue = catalogue
        self._wishes = wishes
        self._ahead = ReadAhead()

    async def reply(self, request: PlanRequest) -> PlanReply:
        """Plan each of the models asked for, each as if it were the only one."""
        machine = await self._chooser.machine()
        plans: dict[str, Plan] = {}
        problems: dict[str, Problem] = {}
        needs: dict[str, Need] = {}
        known = await self._catalogue.resolve_all(request.models)
        for model, found in known.items():
            if isinstance(found, Problem):
                problems[model] = found
                continue
            try:
                if request.turns:
                    resident = self._chooser.table.get(found.path)
                    needs[model] = await need_of(request.turns, request.max_tokens, resident)
                theirs = await self._chooser.machine(found) if found.server else machine
                plans[model] = await self._plan(found, request, needs.get(model), theirs)
            except BackendError as error:
                problems[model] = error.problem
        return PlanReply(plans, problems, machine.devices, needs)

    def close(self) -> None:
        """Have no more files read ahead."""
        self._ahead.stop()

    async def _plan(
        self, found: ModelInfo, request: PlanRequest, need: Need | None, machine: Machine
    ) -> Plan:
        want = Want(
            model=found.id,
            need=max(request.need, need.total if need else 0),
            context=request.context,
            kv_type=request.kv_type,
            strategy=request.strategy,
        )
        if not found.weights:
            return self._attaching.plan(found, want)
        check = Check.ALWAYS if request.exact else Check.NEVER
        current = self._chooser.table.get(found.path)
        if current is not None and current.alive:
            plan = await self._over(current, want, machine, check)
            if plan is not None:
                return plan
        wish = self._wishes.load(found, want)
        plan = (await self._chooser.choose(found, wish, machine, check=check)).plan
        if plan.fits and found.server and current is not None and current.alive:
            plan = msgspec.structs.replace(plan, verdict=f"reloads with {plan.options.context:,} of context")
        if not plan.fits and (request.exact or request.turns):
            others = await self._alternatives.to(found, wish, machine)
            return msgspec.structs.replace(plan, alternatives=others)
        if request.exact:
            self._ahead.begin([Path(found.weights)], machine.ram.free_bytes)
        return plan

    async def _over(self, current: Resident, want: Want, machine: Machine, check: Check) -> Plan | None:
        """How a model in memory would serve `want` without being loaded anew; None if it would not."""
        options, found = current.options, current.info
        if options is None or current.plan is None:
            return None
        if want.served_by(options, found.trained_context):
            return msgspec.structs.replace(
                current.plan, options=options, verdict="switch now", load_s=0.0, evicts=(), shrinks=()
            )
        if not isinstance(current.model, ParkableModel):
            return None
        for wish in self._wishes.resize(found, want, options):
            plan = (await self._chooser.choose(found, wish, machine, check=check)).plan
            if plan.fits:
                return msgspec.structs.replace(plan, load_s=0.0)
        return None
