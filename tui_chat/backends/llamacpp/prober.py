"""Asks a process what loads would cost, or texts. One that dies over a question is replaced for the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from tui_chat.backends.llamacpp.messages import LENGTH_BYTES, body_length
from tui_chat.backends.llamacpp.probing import (
    Answers,
    CountedIn,
    CountIn,
    Look,
    Looked,
    Probe,
    Question,
    Uncountable,
    Unknown,
)
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.api import CountReply, Turn

T = TypeVar("T")

PROBE = "tui_chat.backends.llamacpp.worker.probe"
PATIENCE_S = 30.0
"""For one question; a model with the largest vocabulary takes a fraction of a second."""
_LAST_BYTES = 2048
_BROKEN = (OSError, asyncio.IncompleteReadError, TimeoutError, msgspec.MsgspecError, ValueError)
"""Whatever a process that died, hangs or talks nonsense leads to."""

_answers = msgspec.msgpack.Decoder(Answers)
_looks = msgspec.msgpack.Decoder(Looked)
_counts: msgspec.msgpack.Decoder[CountedIn | Uncountable] = msgspec.msgpack.Decoder(CountedIn | Uncountable)


@dataclass(slots=True)
class _Running:
    process: Process
    reader: asyncio.StreamReader
    log: IO[bytes]


class _LostError(Exception):
    """The process died over a question, or took too long; says its last words."""


class Prober:
    """A process that is asked about models that are not loaded.

    It is started with the first question and kept for the next ones.
    """

    def __init__(self) -> None:
        self._running: _Running | None = None
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Start the process ahead of the first question: a quarter of a second saved when it comes."""
        async with self._asking:
            self._running = self._running or await _spawn()

    async def ask(self, probe: Probe) -> Answers:
        """Ask what loads cost; whatever goes wrong in there is an `Unknown` for every set of options."""
        try:
            return await self._put(probe, _answers)
        except _LostError as error:
            return Answers("", (Unknown(str(error)),) * len(probe.options))

    async def count(self, path: str, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of `turns` as the model at `path` would be sent them; no weights are loaded.

        Raises:
            BackendError: The file is no model that can be asked, or its template does not take the turns.
        """
        try:
            words = tuple(msgspec.structs.replace(turn, pictures=()) for turn in turns)
            answer = await self._put(CountIn(path, words), _counts)
        except _LostError as error:
            what = f"The tokens for {Path(path).name} could not be counted: {error}."
            remedy = "Choose another model; this file may be damaged."
            raise BackendError(Problem(ProblemCode.LOAD_FAILED, what, remedy=remedy)) from error
        if isinstance(answer, Uncountable):
            raise BackendError(answer.problem)
        return answer.count

    async def look(self, path: str, projector: str) -> Looked:
        """Ask what the `projector` of the model at `path` takes; one that ends the process is of no use."""
        try:
            return await self._put(Look(path, projector), _looks)
        except _LostError as error:
            return Looked(why=str(error), died=True)

    async def _put(self, question: Question, answers: msgspec.msgpack.Decoder[T]) -> T:
        """Put a question and decode the answer. Raises `_LostError`; the next question gets a new process."""
        async with self._asking:
            running = self._running = self._running or await _spawn()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return answers.decode(await _exchange(running, question))
            except _BROKEN as error:
                why = _last_words(running)
                await self._end()
                raise _LostError(why) from error
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


async def _exchange(running: _Running, question: Question) -> bytes:
    writer = running.process.stdin
    assert writer is not None, "the process was started with a pipe"
    body = msgspec.msgpack.encode(question)
    writer.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    await writer.drain()
    length = body_length(await running.reader.readexactly(LENGTH_BYTES))
    return await running.reader.readexactly(length)


def _last_words(running: _Running) -> str:
    running.log.seek(max(0, running.log.seek(0, os.SEEK_END) - _LAST_BYTES))
    lines = running.log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "the probe ended without a word"
