"""Anything that may listen on a port: model servers as they answer, other web servers, and worse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

Route = object
"""What is answered with 200: bytes as they are, anything else as JSON; or a pair of a status and that."""
Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Listener:
    """Answers `routes`, and everything else with `otherwise`; or behaves as `behave` does, on connection.

    Attributes:
        requests: The head of each request, as it came.
    """

    routes: Mapping[str, Route] = field(default_factory=dict)
    otherwise: Route = (404, {"detail": "Not Found"})
    headers: str = ""
    behave: Behave | None = None
    port: int = 0
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if self.behave:
                await self.behave(reader, writer)
            else:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head)
                writer.write(self._reply(head.split(" ")[1]))
                await writer.drain()
        writer.close()

    def _reply(self, path: str) -> bytes:
        route = self.routes.get(path, self.otherwise)
        status, content = route if isinstance(route, tuple) else (200, route)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = "text/html" if isinstance(content, bytes) else "application/json"
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
            f"{self.headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body


@asynccontextmanager
async def listening(*listeners: Listener, host: str = "127.0.0.1") -> AsyncIterator[tuple[int, ...]]:
    """Have all of them listen, each on a free port, and give the ports."""
    servers = [await asyncio.start_server(each.serve, host, 0, limit=1 << 20) for each in listeners]
    for each, server in zip(listeners, servers, strict=True):
        each.port = server.sockets[0].getsockname()[1]
    try:
        yield tuple(each.port for each in listeners)
    finally:
        for server in servers:
            server.close()


def models(owner: str, *names: str, **more: object) -> dict[str, object]:
    """A reply to ``/v1/models``."""
    listed = [{"id": each, "object": "model", "created": 1, "owned_by": owner, **more} for each in names]
    return {"object": "list", "data": listed}
