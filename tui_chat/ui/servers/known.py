"""The servers as the screens about them know them, asked again and again while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui_chat.client.errors import EngineError
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.servers import ServerInfo

if TYPE_CHECKING:
    from tui_chat.chat.model import Problem
    from tui_chat.client.workspace import Workspace

LOOK_S = 3.0
"""How often servers are asked: what they are doing changes, and nobody tells."""


class KnownServers:
    """What is known of all servers.

    Attributes:
        infos: The servers; None until the engine has said which there are.
        problem: Why the engine does not say.
        looking: Whether other servers are being looked for.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._client = workspace.engine_client
        self._listeners: list[Callable[[], None]] = []
        self.infos: tuple[ServerInfo, ...] | None = None
        self.problem: Problem | None = None
        self.looking = False

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when something may have changed; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def find(self, name: str) -> ServerInfo | None:
        """The server called `name`, if there still is one."""
        return next((each for each in self.infos or () if each.name == name), None)

    async def keep(self) -> None:
        """Tell what is known at once, and ask anew until this is cancelled."""
        await self.refresh()
        while True:
            await self._read(self._client.servers)
            await asyncio.sleep(LOOK_S)

    async def refresh(self) -> None:
        """Take over what the engine knows, without anybody being asked."""
        await self._read(self._client.known_servers)

    async def look(self) -> None:
        """Look for other servers too, and ask those again that were left alone."""
        self.looking = True
        self._tell()
        try:
            await self._read(lambda: self._client.servers(look=True))
        finally:
            self.looking = False
            self._tell()

    async def _read(self, ask: Callable[[], Awaitable[tuple[ServerInfo, ...]]]) -> None:
        try:
            await ensure_engine(self._client)
            self.infos, self.problem = await ask(), None
        except EngineError as error:
            self.problem = error.problem
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
