"""`tui-chat status`: one sample of the instruments, from the engine or, if none runs, read here."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tui_chat.wire.telemetry import Sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    import asyncio

    from tui_chat.cli.settings import load
    from tui_chat.client.errors import EngineError

    paths, _ = load()
    try:
        told = asyncio.run(_ask_engine(paths.socket))
    except EngineError as error:
        sys.stderr.write(f"tui-chat: {error.problem.what} {error.problem.remedy}\n")
        return 1
    sample = told or _read_here()
    if args.json:
        import msgspec

        print(msgspec.json.encode({"engine": told is not None, **msgspec.to_builtins(sample)}).decode())
        return 0
    from tui_chat.wire.readings import lines_of

    print("\n".join(lines_of(sample)))
    if told is None:
        print("engine  not running; it starts when it is needed")
    return 0


async def _ask_engine(socket: Path) -> Sample | None:
    """What a running engine reads; None without one, and never starts one."""
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineGoneError

    client = EngineClient(socket)
    try:
        return await client.telemetry()
    except EngineGoneError:
        return None
    finally:
        await client.close()


_MOMENT_S = 0.25
"""How long processors are watched to tell how busy they are."""


def _read_here() -> Sample:
    import os
    import time

    from tui_chat.telemetry.sampler import joined
    from tui_chat.telemetry.sources import all_sources

    sources = all_sources(os.getpid())
    for source in sources:
        source.read()
    time.sleep(_MOMENT_S)
    sample = joined([source.read() for source in sources], time.time())
    assert sample is not None, "the machine was read"
    return sample
