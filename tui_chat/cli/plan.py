"""`tui-chat plan`: what a model would take, on this machine or on one that is described."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.cli.plans import ask_engine, plan_body, this_machine
from tui_chat.wire.plan import KvType, Strategy

if TYPE_CHECKING:
    from tui_chat.backends.llamacpp.alternatives import Model
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import Settings
    from tui_chat.memory.machine import Machine
    from tui_chat.memory.placement import Wish
    from tui_chat.wire.plan import Plan

_OURS = ("ubatch", "layers", "split", "cpu_experts", "parallel", "leave_free")
"""Arguments that fix what the engine would choose."""
NO_FIT = 1
"""Exit status when the model does not fit."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", metavar="MODEL", help="a model's name, or the path of a GGUF file")
    parser.add_argument("--json", action="store_true", help="print a JSON object with exact byte counts")
    wish = parser.add_argument_group("what to plan for")
    wish.add_argument("--strategy", type=Strategy, choices=list(Strategy), help="what to strive for")
    wish.add_argument("--ctx", type=_count, metavar="N", help="context in tokens (default: the plan decides)")
    wish.add_argument("--kv", type=KvType, choices=list(KvType), help="type of the KV cache")
    wish.add_argument("--ubatch", type=_count, metavar="N", help="tokens evaluated at once")
    wish.add_argument(
        "--layers", type=_natural, metavar="N", help="layers on GPUs, the output layer included"
    )
    wish.add_argument("--split", type=_split, metavar="A,B,…", help="share of those layers per GPU")
    wish.add_argument("--cpu-experts", type=_natural, metavar="N", help="layers whose experts stay in RAM")
    wish.add_argument("--parallel", type=_count, metavar="N", help="sequences side by side")
    wish.add_argument("--leave-free", type=_natural, metavar="MIB", help="to leave free on each GPU")
    parser.add_argument(
        "--devices",
        metavar="LIST",
        help="plan for these instead, such as gpu:24GiB,gpu:24GiB,ram:64GiB (@900 adds a memory's GB/s)",
    )


def run(args: argparse.Namespace) -> int:
    """Plan, print, and say by the exit status whether it fits."""
    from tui_chat.cli.settings import load
    from tui_chat.memory.devices import DevicesError, parse_devices
    from tui_chat.memory.gguf import GgufError

    paths, settings = load()
    try:
        described = None if args.devices is None else parse_devices(args.devices)
        plan = asyncio.run(_plan(args, described, paths, settings))
    except (GgufError, DevicesError) as error:
        sys.stderr.write(f"tui-chat: {error.problem.what} {error.problem.remedy}\n")
        return 2
    print(_as_json(plan) if args.json else _as_text(plan))
    return 0 if plan.fits else NO_FIT


async def _plan(
    args: argparse.Namespace, described: Machine | None, paths: Paths, settings: Settings
) -> Plan:
    import msgspec

    from tui_chat.backends.llamacpp.alternatives import alternatives
    from tui_chat.backends.llamacpp.planning import Planner
    from tui_chat.backends.llamacpp.prober import Prober

    theirs = described is None and not any(vars(args)[name] for name in _OURS)
    if theirs and (plan := await _engines(args, paths)) is not None:
        return plan
    machine = await asyncio.to_thread(this_machine, paths) if described is None else described
    prober = Prober()
    planner = Planner(prober, paths.cache)
    try:
        starting = asyncio.create_task(prober.start())
        model, smaller, projector = await asyncio.to_thread(_find, args.model, paths, settings)
        await starting
        wish = _wish(args, settings, projector)
        plan = (await planner.plan(*model, wish, machine)).plan
        if plan.fits:
            return plan
        others = await alternatives(planner, model, wish, machine, smaller=smaller)
        return msgspec.structs.replace(plan, alternatives=others)
    finally:
        await prober.close()


async def _engines(args: argparse.Namespace, paths: Paths) -> Plan | None:
    """What the running engine plans; None if none runs, or it does not know the model."""
    from tui_chat.wire.api import PlanRequest

    request = PlanRequest(
        (_absolute(args.model),), context=args.ctx, kv_type=args.kv, strategy=args.strategy, exact=True
    )
    reply = await ask_engine(paths, request)
    return next(iter(reply.plans.values()), None) if reply is not None else None


def _absolute(model: str) -> str:
    """A path as the engine understands it, which works in another folder."""
    path = Path(model)
    return str(path.absolute()) if path.suffix.lower() == ".gguf" and path.exists() else model


def _find(wanted: str, paths: Paths, settings: Settings) -> tuple[Model, list[Model], str]:
    """The model meant, whole or not, as a header is enough; its smaller quants; its projector."""
    from tui_chat.backends.llamacpp.alternatives import Model
    from tui_chat.chat.model import Problem
    from tui_chat.library.files import files_of
    from tui_chat.library.projectors import projector_of
    from tui_chat.library.scan import find_model, list_models
    from tui_chat.library.siblings import smaller_quants
    from tui_chat.memory.gguf import GgufError

    known = list_models(paths, settings)
    found = find_model(known, wanted)
    if isinstance(found, Problem):
        raise GgufError(found)
    model, *smaller = (
        Model(info.id, [file.path for file in files_of(Path(info.path))])
        for info in (found, *smaller_quants(found, known))
    )
    return model, smaller, projector_of(found)


def _wish(args: argparse.Namespace, settings: Settings, projector: str) -> Wish:
    from tui_chat.memory.placement import Wish

    return Wish(
        strategy=args.strategy or settings.models.strategy,
        desired=settings.models.context,
        context=args.ctx,
        kv_type=args.kv,
        ubatch=args.ubatch,
        gpu_layers=args.layers,
        split=args.split,
        cpu_experts=args.cpu_experts,
        sequences=args.parallel or 1,
        keep_free=(args.leave_free or settings.models.leave_free_mib) << 20,
        projector=projector,
    )


def _as_json(plan: Plan) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(plan_body(plan))).decode()


def _as_text(plan: Plan) -> str:
    from tui_chat.wire.words import device, size

    rows: list[tuple[str, ...]] = [
        ("DEVICE", "LAYERS", "WEIGHTS", "KV", "COMPUTE", "OVERHEAD", "TOTAL", "FREE")
    ]
    for use in plan.devices:
        parts = (use.weights_bytes, use.kv_bytes, use.compute_bytes, use.overhead_bytes, use.total_bytes)
        sizes = [size(part) if part else "-" for part in parts]
        rows.append((device(use.name), str(use.layers), *sizes, size(use.free_bytes)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    verdict = "fits" if plan.fits else "does not fit"
    said = [f"{plan.model} {verdict}. {plan.reason}", *(f"  or: {other}" for other in plan.alternatives)]
    if plan.projector:
        eyes = size(sum(use.projector_bytes for use in plan.devices))
        said.append(f"It can be shown pictures; {eyes} of the overhead are for {Path(plan.projector).name}.")
    elif plan.blind:
        said.append(f"It cannot be shown pictures: {plan.blind}.")
    return "\n".join([*said, "", *lines] if plan.devices else said)  # a server's memory is its own business


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _split(text: str) -> tuple[float, ...]:
    shares = tuple(map(float, text.split(",")))
    if not any(shares) or any(share < 0 for share in shares):
        raise argparse.ArgumentTypeError("must be shares such as 3,1")
    return shares
