"""`tui-chat servers pull|create`: have a server get a model, and show how far it is."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import aclosing, suppress

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.cli.progress import ProgressLine
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import Pull, PullState, model_id


async def pull(args: argparse.Namespace, client: EngineClient) -> int:
    """Have a server fetch a model."""
    return await _follow(client, await client.pull_model(args.server, args.model), "fetched")


async def create(args: argparse.Namespace, client: EngineClient) -> int:
    """Have a server make a model of a file.

    Raises:
        EngineError: There is no such file, or the server cannot make a model of it.
    """
    if not args.file.is_file():
        raise EngineError(
            Problem(
                ProblemCode.MODEL_MISSING,
                f"There is no file {args.file}.",
                kept="Nothing was asked of the server.",
                remedy="Name a GGUF file of this machine.",
            )
        )
    path = str(args.file.resolve())
    return await _follow(client, await client.create_model(args.server, args.model, path), "made")


async def _follow(client: EngineClient, begun: Pull, done: str) -> int:
    """Show a pull to its end; leaving before that stops it.

    Raises:
        EngineError: It failed.
    """
    latest = begun
    try:
        with ProgressLine(sys.stderr) as progress:
            async with aclosing(client.follow_pull(begun)) as steps:
                async for latest in steps:
                    if latest.status or latest.total:
                        progress.update(latest.done, latest.total, clean_line(latest.status))
    except asyncio.CancelledError:
        with suppress(EngineError):
            await client.cancel_pull(begun.server, begun.model)
        _say("stopped. What came is kept by the server; the same command goes on from there.")
        raise
    name = clean_line(model_id(latest.server, latest.model))
    match latest.state:
        case PullState.DONE:
            print(name)
            return 0
        case PullState.CANCELLED:
            _say(f"{name} was not {done}: it was stopped from elsewhere. The same command goes on.")
            return 1
        case _:
            what = f"{name} was not {done}."
            raise EngineError(latest.problem or Problem(ProblemCode.SERVER_FAILED, what, remedy="Ask again."))


def _say(text: str) -> None:
    sys.stderr.write(f"tui-chat: {text}\n")
