"""`tui-chat servers` and `tui-chat servers look`: which servers there are, and how they are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from tui_chat.cli.table import table
from tui_chat.client.engine import EngineClient
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import KIND_NAMES, Control, ServerInfo, ServerState
from tui_chat.wire.words import size

CONTROLS = {Control.DEEP: "deep", Control.MEDIUM: "medium", Control.WATCH: "watch only"}
STATES = {
    ServerState.UNKNOWN: "not known",
    ServerState.UP: "up",
    ServerState.LOADING: "loading",
    ServerState.DOWN: "down",
    ServerState.REFUSING: "wants a key",
}


async def list_servers(args: argparse.Namespace, client: EngineClient) -> int:
    """Print all servers, after a look for new ones if that was asked for."""
    servers = await client.servers(look=args.verb == "look")
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(servers)).decode())
    elif servers:
        print(_table(servers))
    else:
        print(
            "No server runs on this machine, and the settings name none. "
            "Start one, or name one there: [servers.NAME] with its url."
        )
    return 0


def _table(servers: Sequence[ServerInfo]) -> str:
    """One line for each, and below it what is wrong with it, or what it cannot do."""
    heads = ("NAME", "KIND", "VERSION", "WHERE", "STATE", "CONTROL", "MODELS", "MEMORY")
    first, *lines = table([heads, *map(_row, servers)], right=(7,)).splitlines()
    told = [first]
    for server, line in zip(servers, lines, strict=True):
        told += [line, *(f"  {clean_line(each)}" for each in _below(server))]
    return "\n".join(told)


def _row(server: ServerInfo) -> tuple[str, ...]:
    return (
        clean_line(server.name),
        KIND_NAMES[server.kind],
        clean_line(server.version),
        server.url.removeprefix("http://") or f"pid {server.pid}",
        STATES[server.state] if server.control is not Control.WATCH else "",
        CONTROLS[server.control],
        _models(server),
        size(server.memory_bytes) if server.memory_bytes else "",
    )


def _models(server: ServerInfo) -> str:
    """How many there are, and how many of them are loaded, where that is told."""
    known = len(server.models)
    if not known:
        return ""
    loaded = [model.loaded for model in server.models]
    return str(known) if None in loaded else f"{known}, {sum(map(bool, loaded))} loaded"


def _below(server: ServerInfo) -> list[str]:
    lines = []
    if server.problem is not None:
        again = f"It is asked again in {server.next_try_s:.0f} s." if server.next_try_s else ""
        lines.append(" ".join(part for part in (server.problem.what, server.problem.remedy, again) if part))
    return [*lines, *server.notes]
