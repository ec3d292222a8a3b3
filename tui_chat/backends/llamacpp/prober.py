"""Asks a probe process what loads would cost. One that dies over a question is replaced for the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from typing import IO

import msgspec

from tui_chat.backends.llamacpp.messages import LENGTH_BYTES, body_length
from tui_chat.backends.llamacpp.probing import Answers, Probe, Unknown

PROBE = "tui_chat.backends.llamacpp.worker.probe"
PATIENCE_S = 30.0
"""For one question; a model with the largest vocabulary takes a fraction of a second."""
_LAST_BYTES = 2048


@dataclass(slots=True)
class _Running:
    process: Process
    reader: asyncio.StreamReader
    log: IO[bytes]


class Prober:
    """A probe process, started with the first question and kept for the next ones."""

    def __init__(self) -> None:
        self._running: _Running | None = None
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Start the process ahead of the first question: a quarter of a second saved when it comes."""
        async with self._asking:
            self._running = self._running or await _spawn()

    async def ask(self, probe: Probe) -> Answers:
        """Ask; whatever goes wrong in the probe is an `Unknown` for every set of options."""
        async with self._asking:
            running = self._running = self._running or await _spawn()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return await _exchange(running, probe)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, msgspec.MsgspecError, ValueError):
                why = _last_words(running)
                await self._end()
                return Answers("", (Unknown(why),) * len(probe.options))
            except BaseException:
                await self._end()  # its answer would be taken for that to the next question
                raise

    async def close(self) -> None:
        """End the process. Closing twice is closing once."""
        async with self._asking:
            await self._end()

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Not `Process.kill`: it reaps a dead child behind the event loop's back.
            os.kill(running.process.pid, signal.SIGKILL)
        await running.process.wait()
        running.log.close()


async def _spawn() -> _Running:
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
    ours, theirs = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", PROBE, str(theirs)),
            stdin=PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(theirs,),
            start_new_session=True,
            # A GPU that is asked anything gives hundreds of MiB to a context; stand-ins need none of them.
            env=os.environ | {"GGML_NO_BACKTRACE": "1", "CUDA_VISIBLE_DEVICES": "-1"},
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(ours, "rb", 0))
    return _Running(process, reader, log)


async def _exchange(running: _Running, probe: Probe) -> Answers:
    writer = running.process.stdin
    assert writer is not None, "the process was started with a pipe"
    body = msgspec.msgpack.encode(probe)
    writer.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    await writer.drain()
    length = body_length(await running.reader.readexactly(LENGTH_BYTES))
    return msgspec.msgpack.decode(await running.reader.readexactly(length), type=Answers)


def _last_words(running: _Running) -> str:
    running.log.seek(max(0, running.log.seek(0, os.SEEK_END) - _LAST_BYTES))
    lines = running.log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "the probe ended without a word"
