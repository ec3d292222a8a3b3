"""`tui-chat models`: what is on this machine, and `models get` for more."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.cli.plans import plan_all, plan_body
from tui_chat.cli.settings import load
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import Settings
    from tui_chat.wire.api import ModelInfo
    from tui_chat.wire.plan import Plan

STARTER = "starter"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    parser.add_argument(
        "--all",
        action="store_true",
        help="also what is no chat model: projectors, adapters, drafts …",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")
    get = verbs.add_parser("get", help="fetch a model into the models folder")
    get.add_argument(
        "name",
        type=_wanted,
        metavar="NAME",
        help="starter (SmolLM2-135M-Instruct Q4_1, 94 MiB), hf:OWNER/REPO, hf:OWNER/REPO:QUANT "
        "or hf:OWNER/REPO/FILE.gguf",
    )
    get.add_argument("--to", type=Path, metavar="DIR", help="put it there instead of the models folder")
    get.add_argument("--if-none", action="store_true", help="only if this machine has no model yet")
    get.add_argument("--list", action="store_true", help="only show what there is in a repository")
    get.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON instead of lines"
    )


def _wanted(name: str) -> str:
    from tui_chat.library.hub.address import HubAddress, parse_address

    parsed = parse_address(name)
    if name == STARTER or isinstance(parsed, HubAddress):
        return name
    raise argparse.ArgumentTypeError(f"{parsed.what} {parsed.remedy} Or: {STARTER}")


def run(args: argparse.Namespace) -> int:
    """List, or get."""
    from tui_chat.library.scan import list_models, with_residents

    paths, settings = load()
    if args.verb == "get":
        if args.if_none and any(info.problem is None for info in list_models(paths, settings)):
            return 0
        folder = args.to or paths.models
        if args.name == STARTER:
            return _get_starter(folder)
        from tui_chat.cli.get import get_from_hub

        return get_from_hub(
            args.name, folder, seeing=settings.models.pictures, only_list=args.list, as_json=args.json
        )
    found = list_models(paths, settings, everything=args.all)
    residents, parked, served = _held(paths)
    infos = with_residents([*found, *served], residents, parked)
    plans = asyncio.run(plan_all(infos, paths, settings)) if infos else {}
    if args.json:
        print(_as_json(infos, plans))
    elif infos:
        print(_table(infos, plans, kinds=args.all))
    else:
        print(_nothing(paths, settings))
    return 0


def _nothing(paths: Paths, settings: Settings) -> str:
    """Say where was looked; the folders of other programs by the names of the programs."""
    from tui_chat.wire.api import ModelSource

    looked = {
        ModelSource.OWN: str(paths.models),
        ModelSource.FOLDERS: ", ".join(settings.models.folders),
        ModelSource.HUGGING_FACE: "the Hugging Face cache",
        ModelSource.LM_STUDIO: "LM Studio",
        ModelSource.LLAMA_CPP: "llama.cpp's cache",
        ModelSource.OLLAMA: "Ollama",
    }
    places = ", ".join(
        place for source, place in looked.items() if place and source in settings.models.sources
    )
    where = places or "any place, because models.sources is empty"
    return f"There is no model in {where}. Get a first one: tui-chat models get starter"


def _held(
    paths: Paths,
) -> tuple[tuple[ModelInfo, ...], tuple[str, ...], tuple[ModelInfo, ...]]:
    """What a running engine has in memory, of which models something is parked, and what servers have.

    Never starts an engine; without one nobody knows of servers.
    """
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineError
    from tui_chat.store.parks.disk import parked_in

    async def ask() -> tuple[tuple[ModelInfo, ...], tuple[str, ...], tuple[ModelInfo, ...]]:
        client = EngineClient(paths.socket)
        try:
            info = await client.info()
            served = tuple(model for model in await client.models() if model.server)
        finally:
            await client.close()
        return info.residents, info.parked, served

    if paths.socket.exists():
        try:
            return asyncio.run(ask())
        except EngineError:
            pass
    return (), tuple(entry.header.label.model for entry in parked_in(paths.parks, tidy=False)), ()


def _as_json(infos: list[ModelInfo], plans: dict[str, Plan]) -> str:
    import msgspec

    rows = [
        msgspec.structs.asdict(info) | {"plan": plan_body(plans[info.id]) if info.id in plans else None}
        for info in infos
    ]
    return msgspec.json.format(msgspec.json.encode(rows)).decode()


def _table(infos: list[ModelInfo], plans: dict[str, Plan], *, kinds: bool) -> str:
    heads = ("MODEL", "SIZE", "QUANT", *(("KIND",) if kinds else ()), "SOURCE", "STATE", "NOW", "FILE")
    rows = [heads, *(_row(info, plans.get(info.id), kinds=kinds) for info in infos)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads) - 1)]
    lines = []
    for row, info in zip(rows, (None, *infos), strict=True):
        cells = [
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join((*cells, row[-1])).rstrip())
        if info is not None and info.aliases:
            lines.append(f"  also called {', '.join(info.aliases)}")
        if info is not None and info.problem is not None:
            lines.append(f"  {info.problem.what} {info.problem.remedy}")
    return "\n".join(lines)


def _row(info: ModelInfo, plan: Plan | None, *, kinds: bool) -> tuple[str, ...]:
    kind = (info.kind.value,) if kinds else ()
    state = info.state.replace("_", " ")
    now = plan.verdict if plan else ""
    source, file = (info.server, info.file) if info.server else (info.source.value, info.path)
    taken = size(info.size_bytes) if info.size_bytes else ""
    return (clean_line(info.id), taken, info.quant, *kind, source, state, now, file)


def _get_starter(folder: Path) -> int:
    from tui_chat.cli.progress import ProgressLine
    from tui_chat.library.starter import STARTER, fetch_starter

    try:
        with ProgressLine(sys.stderr) as progress:
            path = fetch_starter(STARTER, folder, progress.update)
    except KeyboardInterrupt:
        sys.stderr.write(
            "tui-chat: stopped. What was fetched is kept; the same command goes on from there.\n"
        )
        raise
    print(path)
    return 0
