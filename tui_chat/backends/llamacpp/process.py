"""One worker process as its host sees it: started apart from any terminal, heard, ended, reaped."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

import msgspec

from tui_chat.backends.llamacpp.abort import AbortFlags, create_flags
from tui_chat.backends.llamacpp.failures import memory_kills
from tui_chat.backends.llamacpp.messages import (
    LENGTH_BYTES,
    Order,
    Report,
    body_length,
    decode_report,
    frame,
)

WORKER = "tui_chat.backends.llamacpp.worker"
LEAVE_S = 2.0
"""How long a worker that was asked to leave, or stopped talking, may take before it is killed."""
_TAIL_BYTES = 8192
_TAIL_LINES = 20


class WorkerProcess:
    """A running worker. Made by `spawn`; `reap` must be called in the end, whatever happened."""

    def __init__(
        self,
        process: Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flags: AbortFlags,
        log: Path,
    ) -> None:
        self.flags = flags
        self._process = process
        self._reader = reader
        self._writer = writer
        self._log = log
        self._memory_kills = memory_kills()

    @classmethod
    async def spawn(cls, log: Path) -> WorkerProcess:
        """Start a worker that writes to `log`; an older log of that name is kept once as ``*.1``."""
        ours, theirs = socket.socketpair()
        flags_fd = create_flags()
        log_fd = _open_log(log)
        try:
            ours.setblocking(False)
            flags = AbortFlags(flags_fd)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", WORKER),
                *map(str, (theirs.fileno(), flags_fd, os.getpid())),
                stdin=DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                pass_fds=(theirs.fileno(), flags_fd),
                start_new_session=True,
                cwd="/",
                # CUDA's own order of GPUs is by speed; the driver's, which plans are made in, by PCI address.
                env=os.environ | {"GGML_NO_BACKTRACE": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(flags_fd)
            os.close(log_fd)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, reader, writer, flags, log)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    @property
    def memory_kill(self) -> bool:
        """Whether the kernel has killed some process for memory since this one started."""
        return memory_kills() > self._memory_kills

    def send(self, order: Order) -> None:
        """Send one order; of no effect when the worker is gone, which `receive` tells."""
        if not self._writer.is_closing():
            self._writer.write(frame(order))

    async def receive(self) -> Report | None:
        """Wait for the next report; None when the worker is gone or has hung up."""
        try:
            prefix = await self._reader.readexactly(LENGTH_BYTES)
            return decode_report(await self._reader.readexactly(body_length(prefix)))
        except (asyncio.IncompleteReadError, OSError, ValueError, msgspec.MsgspecError):
            return None  # a worker that writes nonsense is as good as gone, and `reap` sees to it

    def kill(self) -> None:
        """End the worker at once."""
        if self._process.returncode is None:
            self._process.kill()

    async def reap(self) -> int:
        """Hang up, wait until the worker is gone (killing it if it lingers), return its exit status."""
        self._writer.close()
        try:
            async with asyncio.timeout(LEAVE_S):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    def log_tail(self) -> list[str]:
        """The last lines of the worker's log, for explaining its end."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                return file.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        except OSError:
            return []


def _open_log(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".1.log"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
