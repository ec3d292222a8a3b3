"""A file of this machine on its way to Ollama, which keeps files by the sums of what is in them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, BinaryIO

from tui_chat.backends.ollama.client import answering
from tui_chat.backends.servers.failures import ServerError, of_status
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.gguf import MAGIC

_CHUNK = 4 << 20
_TOLD_EVERY_S = 0.1


class Blob:
    """A GGUF file. Read it, then send it; both tell how many bytes are done, and block nobody."""

    def __init__(self, link: Link, file: Path, opened: BinaryIO, size: int) -> None:
        self.size = size
        self._link = link
        self._path = file
        self._file = opened
        self._done = 0
        self._sum = hashlib.sha256()

    @classmethod
    async def of(cls, file: Path, link: Link) -> Blob:
        """Open `file`.

        Raises:
            ServerError: It cannot be read, or is no GGUF file.
        """
        try:
            opened = await asyncio.to_thread(file.open, "rb")
            begins = await asyncio.to_thread(opened.read, len(MAGIC))
            size = await asyncio.to_thread(opened.seek, 0, 2)
        except OSError as error:
            raise ServerError(
                Problem(ProblemCode.MODEL_MISSING, f"{file} cannot be read: {error.strerror or error}.")
            ) from error
        if begins != MAGIC:
            opened.close()
            raise ServerError(
                Problem(
                    ProblemCode.MODEL_INVALID,
                    f"{file.name} is not a GGUF file, and {link.name} takes nothing else.",
                    kept="Nothing was sent.",
                )
            )
        return cls(link, file, opened, size)

    @property
    def digest(self) -> str:
        """What Ollama calls it, once it has been read."""
        return f"sha256:{self._sum.hexdigest()}"

    def read(self) -> AsyncGenerator[int]:
        """Read all of it for its sum."""
        return self._watched(self._summed())

    def send(self) -> AsyncGenerator[int]:
        """Send it, unless Ollama has it already.

        Raises:
            ServerError: It was not taken.
        """
        return self._watched(self._sent())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def _watched(self, work: Coroutine[Any, Any, None]) -> AsyncGenerator[int]:
        """Yield how much is done a few times a second, and at the end of `work`; leaving stops it."""
        self._done = 0
        task = asyncio.create_task(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_TOLD_EVERY_S)
                yield self._done
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _summed(self) -> None:
        async for chunk in self._chunks():
            await asyncio.to_thread(self._sum.update, chunk)

    async def _sent(self) -> None:
        path = f"/api/blobs/{self.digest}"
        client = await self._link.open()
        with answering(self._link):
            if (await client.head(path)).is_success:
                self._done = self.size
                return
            size = {"Content-Length": str(self.size)}
            reply = await client.post(path, content=self._chunks(), headers=size)
            if not reply.is_success:
                raise of_status(self._link.name, reply.status_code, reply.text)

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            await asyncio.to_thread(self._file.seek, 0)
            while chunk := await asyncio.to_thread(self._file.read, _CHUNK):
                yield chunk
                self._done += len(chunk)
        except OSError as error:
            raise ServerError(
                Problem(ProblemCode.MODEL_MISSING, f"{self._path} cannot be read on: {error.strerror}.")
            ) from error
