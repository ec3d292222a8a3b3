"""Plans for the command line: the engine's where one runs, for it knows what it has promised; else ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import Settings
    from tui_chat.memory.machine import Machine
    from tui_chat.wire.api import ModelInfo, PlanReply, PlanRequest
    from tui_chat.wire.plan import Plan


def plan_body(plan: Plan) -> dict[str, Any]:
    """A plan as the object that `--json` prints: exact byte counts, options beside results."""
    options = plan.options
    return {
        "model": plan.model,
        "context": options.context,
        "kv_type": options.kv_type,
        "ubatch": options.ubatch,
        "gpu_layers": options.gpu_layers,
        "split": options.split,
        "cpu_experts": options.cpu_experts,
        "parallel": options.sequences,
        "kv_unified": True,
        "strategy": plan.strategy,
        "fits": plan.fits,
        "verdict": plan.verdict,
        "shortfall_bytes": plan.shortfall_bytes,
        "reason": plan.reason,
        "alternatives": plan.alternatives,
        "evicts": plan.evicts,
        "shrinks": plan.shrinks,
        "load_s": plan.load_s,
        "tokens_per_second": plan.tokens_per_second or None,
        "source": plan.source,
        "anonymous_bytes": plan.anonymous_bytes,
        "page_cache_bytes": plan.page_cache_bytes,
        "vram_bytes": sum(use.total_bytes for use in plan.devices[:-1]),
        "devices": plan.devices,
    }


def this_machine(paths: Paths) -> Machine:
    """The devices of this machine as they are now."""
    from tui_chat.backends.llamacpp.build import gpu_kinds
    from tui_chat.backends.llamacpp.planning import ram_bandwidth
    from tui_chat.memory.devices import read_machine

    return read_machine(gpu_kinds(), ram_bandwidth(paths.cache))


async def ask_engine(paths: Paths, request: PlanRequest) -> PlanReply | None:
    """Ask the running engine; None where none runs. Never starts one."""
    if not paths.socket.exists():
        return None
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineError

    client = EngineClient(paths.socket)
    try:
        return await client.plan(request)
    except EngineError:
        return None
    finally:
        await client.close()


async def plan_all(infos: Sequence[ModelInfo], paths: Paths, settings: Settings) -> dict[str, Plan]:
    """Plan each of some models by arithmetic, for a list; those that cannot be planned are left out."""
    from tui_chat.wire.api import PlanRequest

    usable = [info for info in infos if info.problem is None]
    reply = await ask_engine(paths, PlanRequest(tuple(info.id for info in usable)))
    if reply is not None:
        return reply.plans
    return await _sketch_all([info for info in usable if not info.server], paths, settings)


async def _sketch_all(infos: Sequence[ModelInfo], paths: Paths, settings: Settings) -> dict[str, Plan]:
    from tui_chat.backends.llamacpp.planning import Planner
    from tui_chat.backends.llamacpp.prober import Prober
    from tui_chat.library.files import files_of
    from tui_chat.library.projectors import projector_of
    from tui_chat.memory.gguf import GgufError
    from tui_chat.memory.placement import Wish

    planner = Planner(Prober(), paths.cache)
    wish = Wish(strategy=settings.models.strategy, desired=settings.models.context)
    machine = await asyncio.to_thread(this_machine, paths)
    plans: dict[str, Plan] = {}
    for info in infos:
        try:
            files = [file.path for file in await asyncio.to_thread(files_of, Path(info.path))]
            theirs = replace(wish, projector=projector_of(info))
            plans[info.id] = (await planner.sketch(info.id, files, theirs, machine)).plan
        except (GgufError, OSError):
            continue
    return plans
