"""Start the engine when there is none, and replace one of another version when that hurts nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat import __version__
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.client.errors import EngineError, EngineGoneError
from tui_chat.store.files import is_alive
from tui_chat.store.locks import FileLock
from tui_chat.wire.api import PROTOCOL, EngineInfo
from tui_chat.wire.paths import lock_path

if TYPE_CHECKING:
    from tui_chat.client.engine import EngineClient

START_S = 20.0
"""How long a start may take; the slowest disk we know of needs 3 s."""

LEAVE_S = 10.0
"""How long an engine may take to settle its answers and leave."""


async def ensure_engine(client: EngineClient) -> EngineInfo:
    """Return the engine that serves `client`'s socket, starting or replacing it if need be.

    Raises:
        EngineError: It cannot be started, or one of another version is busy.
    """
    info = await _find_or_start(client)
    if info.version == __version__ and info.protocol == PROTOCOL:
        return info
    if not info.generations:
        await stop_engine(client, info.pid)
        return await _find_or_start(client)
    if info.protocol == PROTOCOL:
        return info
    raise EngineError(
        Problem(
            ProblemCode.ENGINE_MISMATCH,
            f"An engine of version {info.version} is running and writing an answer; this is {__version__}.",
            kept="Its answer goes on.",
            remedy="Wait for it to end, or run `tui-chat engine stop --force`.",
        )
    )


async def _find_or_start(client: EngineClient) -> EngineInfo:
    """Ask the engine who it is, starting it first if nobody answers.

    An engine that is just leaving still holds the lock while its socket is gone: then a start finds
    it "already there" and nobody answers, until it has left.
    """
    deadline = asyncio.get_running_loop().time() + LEAVE_S
    while True:
        try:
            return await client.info()
        except EngineGoneError:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await start_engine()


async def start_engine() -> None:
    """Start a detached engine and return when it listens. Finding one already there is success.

    Raises:
        EngineError: It did not come up; the problem carries what it said.
    """
    # In a thread: asyncio's own subprocess, when cancelled because somebody quits, outlives its loop.
    if said := await asyncio.to_thread(_run_starter):
        raise EngineError(
            Problem(
                ProblemCode.ENGINE_UNREACHABLE,
                f"The engine could not be started: {_last_line(said)}",
                remedy="`tui-chat engine logs` shows more.",
                detail=said.decode(errors="replace")[-4000:],
            )
        )


def _run_starter() -> bytes:
    """Run the process that leaves an engine behind; returns what went wrong, empty if nothing did."""
    command = [sys.executable, "-m", "tui_chat.engine", "--detach"]
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, timeout=START_S, check=False
        )
    except subprocess.TimeoutExpired:
        return b"it did not answer in time"
    return (done.stderr or b"it said nothing") if done.returncode else b""


async def stop_engine(client: EngineClient, pid: int, *, force: bool = False) -> None:
    """Ask the engine to leave and return when it has left; with `force`, see to it.

    Raises:
        EngineError: It is busy (without `force`), or would not leave.
    """
    with contextlib.suppress(EngineGoneError):
        await client.stop(force=force)
    if await _gone(pid, LEAVE_S):
        return
    if force:
        os.kill(pid, signal.SIGKILL)
        if await _gone(pid, LEAVE_S):
            return
    what = f"The engine (pid {pid}) was asked to leave and is still there after {LEAVE_S:.0f} s."
    raise EngineError(
        Problem(ProblemCode.ENGINE_UNREACHABLE, what, remedy="Try `tui-chat engine stop --force`.")
    )


def recorded_pid(socket_path: Path) -> int | None:
    """The process id in the engine's lock, or None when no engine holds it."""
    holder = FileLock(lock_path(socket_path)).holder()
    return holder.pid if holder is not None else None


async def _gone(pid: int, within_s: float) -> bool:
    deadline = asyncio.get_running_loop().time() + within_s
    while is_alive(pid):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."
