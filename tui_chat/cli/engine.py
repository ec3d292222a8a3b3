"""`tui-chat engine status|start|stop|logs|metrics`: look after the process that runs the models."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.config.paths import Paths
    from tui_chat.wire.api import EngineInfo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    status = verbs.add_parser("status", help="say whether it runs, and what it is doing")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    verbs.add_parser("start", help="start it, if it is not running")
    stop = verbs.add_parser("stop", help="stop it and give all memory back")
    stop.add_argument("--force", action="store_true", help="also while it is writing an answer")
    verbs.add_parser("metrics", help="print all that it counts and reads, in Prometheus' words")
    logs = verbs.add_parser("logs", help="print the newest lines of its log")
    logs.add_argument("-n", "--lines", type=int, default=40, metavar="N", help="how many (40)")


def run(args: argparse.Namespace) -> int:
    """Run one of the verbs."""
    import asyncio

    from tui_chat.cli.settings import load
    from tui_chat.client.errors import EngineError

    paths, _ = load()
    if args.verb == "logs":
        return _logs(paths, args.lines)
    try:
        work = {"status": _status, "start": _start, "stop": _stop, "metrics": _metrics}[args.verb]
        return asyncio.run(work(args, paths))
    except EngineError as error:
        sys.stderr.write(f"tui-chat: {error.problem.what} {error.problem.remedy}\n")
        return 1


async def _status(args: argparse.Namespace, paths: Paths) -> int:
    import msgspec

    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineGoneError

    client = EngineClient(paths.socket)
    try:
        info = await client.info()
    except EngineGoneError:
        print(
            '{"running": false}' if args.json else "The engine is not running; it starts when it is needed."
        )
        return 1
    finally:
        await client.close()
    if args.json:
        print(msgspec.json.encode({"running": True, **msgspec.to_builtins(info)}).decode())
    else:
        print(_describe(info))
    return 0


async def _start(args: argparse.Namespace, paths: Paths) -> int:
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.launch import ensure_engine

    client = EngineClient(paths.socket)
    try:
        print(_describe(await ensure_engine(client)))
    finally:
        await client.close()
    return 0


async def _stop(args: argparse.Namespace, paths: Paths) -> int:
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineGoneError
    from tui_chat.client.launch import recorded_pid, stop_engine

    client = EngineClient(paths.socket)
    try:
        pid = recorded_pid(paths.socket) if args.force else None
        pid = pid or (await client.info()).pid
        await stop_engine(client, pid, force=args.force)
        print(f"The engine (pid {pid}) has stopped.")
    except EngineGoneError:
        print("The engine is not running.")
    finally:
        await client.close()
    return 0


async def _metrics(args: argparse.Namespace, paths: Paths) -> int:
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineGoneError

    client = EngineClient(paths.socket)
    try:
        sys.stdout.write(await client.metrics())
    except EngineGoneError:
        sys.stderr.write("tui-chat: The engine is not running; it starts when it is needed.\n")
        return 1
    finally:
        await client.close()
    return 0


def _logs(paths: Paths, lines: int) -> int:
    from collections import deque

    file = paths.logs / "engine.log"
    try:
        with file.open(encoding="utf-8", errors="replace") as log:
            newest = deque(log, maxlen=max(0, lines))
    except FileNotFoundError:
        print(f"There is no log yet; it will be {file}.")
        return 1
    print(f"{file}:", file=sys.stderr)
    sys.stdout.writelines(newest)
    return 0


def _describe(info: EngineInfo) -> str:
    lines = [f"engine {info.version}, pid {info.pid}, since {info.started.astimezone():%Y-%m-%d %H:%M}"]
    for model in info.residents:
        state = model.state.value.replace("_", " ")
        lines.append(f"  {model.id}  {size(model.size_bytes)}  context {model.context:,}  {state}")
    if not info.residents:
        lines.append("  no model in memory")
    lines += [f"  answer {g.id}: {g.state.value}, {g.model}" for g in info.generations]
    lines.append(f"  leaves after {info.idle_exit_s / 60:.0f} min without work or visitors")
    return "\n".join(lines)
