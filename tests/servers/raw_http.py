"""HTTP/1.1 by hand: reads requests to the letter, and can break every rule in what it sends itself."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

JSON = "application/json; charset=utf-8"
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


class RefusedError(Exception):
    """A request is answered with `status` and `body`, and nothing else is done."""

    def __init__(self, status: int, body: str, kind: str = JSON) -> None:
        super().__init__(body)
        self.status, self.body, self.kind = status, body, kind


def refused(status: int, error: str) -> RefusedError:
    """Refuse as Ollama words it."""
    return RefusedError(status, json.dumps({"error": error}))


class ClientGoneError(Exception):
    """Whoever asked has closed the connection."""


@dataclass
class Line:
    """One connection of a client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: bool = False
    head: bool = field(default=False, repr=False)

    @property
    def gone(self) -> bool:
        """Whether the client has closed it."""
        return self.reader.at_eof()

    async def read(self) -> Request | None:
        """The next request; None when the client has no more. Raises `RefusedError` for what is no HTTP."""
        self.begun = self.head = False
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or words[2] != "HTTP/1.1":
            raise RefusedError(400, "400 Bad Request", "text/plain")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip() or name.lower() in headers:
                raise RefusedError(400, "400 Bad Request", "text/plain")
            headers[name.lower()] = value.strip()
        if "host" not in headers:
            raise RefusedError(400, "400 Bad Request: missing required Host header", "text/plain")
        self.head = words[0] == "HEAD"
        return Request(words[0], words[1], headers, await self._body(headers))

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                parts.append(await self.reader.readexactly(size))
                if await self.reader.readexactly(2) != b"\r\n":
                    raise RefusedError(400, "400 Bad Request: malformed chunk", "text/plain")
            await self.reader.readuntil(b"\r\n")
            return b"".join(parts)
        return await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def reply(self, status: int, body: bytes = b"", kind: str = JSON, **headers: str) -> None:
        """Answer all at once."""
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        content = f"Content-Type: {kind}\r\n" if body else ""
        self._head(status, f"{content}{extra}Content-Length: {len(body)}\r\n")
        await self.write(b"" if self.head else body)

    async def begin(self, status: int = 200, kind: str = "application/x-ndjson") -> None:
        """Begin an answer in chunks."""
        self._head(status, f"Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n")
        await self.write(b"")

    async def chunk(self, data: bytes) -> None:
        """Go on with it."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """End it as it should be."""
        await self.write(b"0\r\n\r\n")

    async def write(self, data: bytes) -> None:
        """Write to the letter. Raises `ClientGoneError`."""
        if self.gone:
            raise ClientGoneError
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError as error:
            raise ClientGoneError from error

    async def wait_until_gone(self) -> None:
        """Wait for the client to hang up; what it sends meanwhile is not read."""
        while not self.gone:
            await asyncio.sleep(0.002)

    def reset(self) -> None:
        """Cut the connection as a crash does, so that the client has an error instead of an end."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    def _head(self, status: int, headers: str) -> None:
        self.begun = True
        phrase = HTTPStatus(status).phrase
        self.writer.write(f"HTTP/1.1 {status} {phrase}\r\n{headers}\r\n".encode("latin-1"))


async def listen(serve: Any, host: str, port: int) -> asyncio.Server:
    """Have `serve` called with the two ends of each connection."""
    return await asyncio.start_server(serve, host, port, limit=_LONGEST_LINE)
