"""`tui-chat servers [VERB]`: its arguments, and which function carries a verb out."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.cli.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui_chat.client.engine import EngineClient

_VERBS = {
    None: ("listing", "list_servers"),
    "look": ("listing", "list_servers"),
    "show": ("card", "show"),
    "pull": ("fetching", "pull"),
    "create": ("fetching", "create"),
    "copy": ("changing", "copy"),
    "delete": ("changing", "delete"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")

    def verb(name: str, about: str, model: str | None = "as the server calls it") -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=about, description=about, allow_abbrev=False)
        if model is not None:
            made.add_argument("server", metavar="SERVER", help="its name, as `tui-chat servers` lists it")
            made.add_argument("model", metavar="MODEL", help=model)
        return made

    def json(made: argparse.ArgumentParser) -> None:
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")

    json(verb("look", "look anew for servers on this machine, and list all", None))
    json(verb("show", "print all that a server tells of a model: context, template, parameters, licence"))
    verb("pull", "have a server fetch a model; Ctrl-C stops it, and the same command goes on")
    create = verb(
        "create", "have a server make a model of a GGUF file on this machine", model="what to call it"
    )
    create.add_argument("file", type=Path, metavar="FILE.gguf")
    copy = verb("copy", "have a server give a model a second name")
    copy.add_argument("to", metavar="NAME", help="the second name")
    delete = verb("delete", "have a server delete a model from its disk")
    delete.add_argument("--yes", action="store_true", help="without asking")


def run(args: argparse.Namespace) -> int:
    """Carry a verb out, by an engine that is started if there is none."""
    module, function = _VERBS[args.verb]
    return asyncio.run(
        _with_engine(args, getattr(importlib.import_module(f"tui_chat.cli.servers.{module}"), function))
    )


async def _with_engine(
    args: argparse.Namespace, work: Callable[[argparse.Namespace, EngineClient], Awaitable[int]]
) -> int:
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.launch import ensure_engine

    paths, _ = load()
    client = EngineClient(paths.socket)
    try:
        await ensure_engine(client)
        return await work(args, client)
    finally:
        await client.close()
