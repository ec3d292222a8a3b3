"""The engine's HTTP surface where it is about servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import msgspec
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from tui_chat.engine.core import Engine
from tui_chat.engine.replies import PING_S, Handler, reply, sse
from tui_chat.wire.paths import (
    SERVERS,
    SERVERS_COPY,
    SERVERS_CREATE,
    SERVERS_DELETE,
    SERVERS_PULL,
    SERVERS_PULL_CANCEL,
    SERVERS_PULLS,
    SERVERS_SHOW,
)
from tui_chat.wire.servers import CopyRequest, CreateRequest, ServedRequest, ServersReply

T = TypeVar("T")


class ServersSurface:
    """The handlers, one per verb."""

    def __init__(self, engine: Engine) -> None:
        self._servers = engine.servers
        self._pulls = engine.pulls

    @property
    def routes(self) -> tuple[tuple[str, Handler, str], ...]:
        """Path, handler and method of each verb."""
        return (
            (SERVERS, self.list, "GET"),
            (SERVERS_SHOW, self.show, "POST"),
            (SERVERS_PULL, self.pull, "POST"),
            (SERVERS_CREATE, self.create, "POST"),
            (SERVERS_PULLS, self.pulls, "GET"),
            (SERVERS_PULL_CANCEL, self.cancel, "POST"),
            (SERVERS_COPY, self.copy, "POST"),
            (SERVERS_DELETE, self.delete, "POST"),
        )

    async def list(self, request: Request) -> Response:
        """Tell all servers as they are now; ``look=1`` looks for others on this machine too.

        ``known=1`` tells them as they were last seen, without asking: nobody waits for one that is slow.
        """
        if request.query_params.get("known") == "1":
            return reply(ServersReply(self._servers.infos))
        search = request.query_params.get("look") == "1"
        return reply(ServersReply(await self._servers.look(search=search)))

    async def show(self, request: Request) -> Response:
        """Tell all that a server tells of one model."""
        wanted = await _body(request, ServedRequest)
        server = await self._servers.find(wanted.server)
        return reply(await server.show(wanted.model))

    async def pull(self, request: Request) -> Response:
        """Have a server fetch a model."""
        wanted = await _body(request, ServedRequest)
        return reply(await self._pulls.pull(wanted.server, wanted.model), 202)

    async def create(self, request: Request) -> Response:
        """Have a server make a model of a file on this machine."""
        wanted = await _body(request, CreateRequest)
        return reply(await self._pulls.create(wanted.server, wanted.model, Path(wanted.path)), 202)

    async def pulls(self, request: Request) -> Response:
        """Stream what is being fetched, now and as it gets on."""

        async def stream() -> AsyncIterator[bytes]:
            async with aclosing(self._pulls.watch()) as changes:
                async for seq, pulls in changes:
                    yield sse(seq, pulls)

        return EventSourceResponse(stream(), ping=PING_S)

    async def cancel(self, request: Request) -> Response:
        """Stop fetching a model; what came is kept."""
        wanted = await _body(request, ServedRequest)
        await self._pulls.cancel(wanted.server, wanted.model)
        return reply(self._pulls.all)

    async def copy(self, request: Request) -> Response:
        """Give a server's model a second name."""
        wanted = await _body(request, CopyRequest)
        keeper = await self._pulls.keeper(wanted.server, "copy models")
        await keeper.copy(wanted.model, wanted.to)
        return await self._looked(wanted.server)

    async def delete(self, request: Request) -> Response:
        """Delete a model from a server's disk."""
        wanted = await _body(request, ServedRequest)
        keeper = await self._pulls.keeper(wanted.server, "delete models")
        await keeper.delete(wanted.model)
        return await self._looked(wanted.server)

    async def _looked(self, server: str) -> Response:
        await self._servers.get(server).look()
        self._servers.note()
        return reply(ServersReply(self._servers.infos))


async def _body(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(await request.body(), type=kind)
