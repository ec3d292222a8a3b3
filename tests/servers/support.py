"""What tests of servers share: a server as the engine sees it, and talking to its models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tui_chat.backends.openai.server import OpenAIServer
from tui_chat.backends.servers.link import Link
from tui_chat.backends.servers.model import ServedModel
from tui_chat.config.servers import ServerSettings
from tui_chat.wire.servers import ServerKind


@asynccontextmanager
async def server_at(url: str, kind: ServerKind, **settings: Any) -> AsyncIterator[OpenAIServer]:
    """A server that was looked at once."""
    server = OpenAIServer(Link("box", ServerSettings(url=url, **settings)), kind)
    try:
        await server.look()
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def model_at(url: str, kind: ServerKind, name: str = "", **settings: Any) -> AsyncIterator[ServedModel]:
    """The first model of a server, or the one called `name`, ready to answer."""
    async with server_at(url, kind, **settings) as server:
        listed = next(each for each in server.info.models if name in ("", each.name))
        yield await server.load(listed, None, None, lambda _: None)
