"""The engine: whether it runs, and whether what a dead one left is in the way. It is not started."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat import __version__
from tui_chat.cli.doctor.finding import Finding, note, ok, wrong
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError, EngineGoneError
from tui_chat.config.paths import Paths
from tui_chat.store.files import is_alive
from tui_chat.store.locks import FileLock
from tui_chat.wire.api import PROTOCOL, EngineInfo
from tui_chat.wire.paths import lock_path
from tui_chat.wire.words import size

SUBJECT = "engine"
LONGEST = 107
"""Bytes that the path of a Unix socket may have."""


async def check(paths: Paths) -> Iterator[Finding]:
    """Ask the engine who it is, if there is one."""
    client = EngineClient(paths.socket)
    try:
        return _running(await client.info())
    except EngineGoneError:
        return _not_running(paths)
    except EngineError as error:
        return iter((wrong(SUBJECT, error.problem.what, error.problem.remedy),))
    finally:
        await client.close()


def _running(info: EngineInfo) -> Iterator[Finding]:
    held = sum(model.size_bytes for model in info.residents if model.state.in_memory)
    models = f"models of {size(held)} in memory" if held else "no model in memory"
    if (info.version, info.protocol) == (__version__, PROTOCOL):
        yield ok(SUBJECT, f"It runs (pid {info.pid}, version {info.version}), with {models}.")
        return
    other = f"It runs (pid {info.pid}), but is of version {info.version}, and this is {__version__}."
    if info.generations and info.protocol != PROTOCOL:
        remedy = "Wait until its answer ends, or: tui-chat engine stop --force"
        yield wrong(SUBJECT, f"{other} It is writing an answer, and we do not understand it.", remedy)
    else:
        yield note(
            SUBJECT, other, "It is replaced when it is needed and not writing; or: tui-chat engine stop"
        )


def _not_running(paths: Paths) -> Iterator[Finding]:
    if len(str(paths.socket).encode()) > LONGEST:
        yield wrong(
            SUBJECT,
            f"The path of its socket is longer than {LONGEST} bytes: {paths.socket}",
            "Set paths.runtime to a short one: tui-chat config set paths.runtime /tmp/tc",
        )
        return
    holder = FileLock(lock_path(paths.socket)).holder()
    if holder is not None and is_alive(holder.pid):
        yield wrong(
            SUBJECT,
            f"Process {holder.pid} says that it is the engine, and does not answer.",
            "Wait a moment if it has just begun; else: tui-chat engine stop --force",
        )
    elif holder is not None or paths.socket.exists():
        yield note(
            SUBJECT,
            f"It is not running. One that died left {'its lock' if holder else 'its socket'} behind in"
            f" {paths.runtime}.",
            "Nothing needs to be done: the next one clears that away.",
        )
    else:
        yield ok(SUBJECT, "It is not running; it starts when it is needed.")
