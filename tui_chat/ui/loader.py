"""Has models loaded and unloaded in the background, for every screen; knows what was stopped on purpose."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_chat.chat.model import Problem
from tui_chat.client.errors import EngineError

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.wire.api import LoadRequest

log = logging.getLogger("tui_chat.ui")


class Loader:
    """Loads for a chat. What goes wrong is told once, to the asker if still there, else to the chat."""

    def __init__(self, workspace: Workspace, tell: Callable[[Problem], None]) -> None:
        self._workspace = workspace
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: set[str] = set()

    def load(self, request: LoadRequest, tell: Callable[[Problem], bool] | None = None) -> None:
        """Begin to load; `tell` hears what goes wrong, and gives False when nobody looks at it any more."""
        self._stopped.discard(request.model)
        task = asyncio.create_task(self._load(request, tell))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _load(self, request: LoadRequest, tell: Callable[[Problem], bool] | None) -> None:
        try:
            await self._workspace.load(request)
        except EngineError as error:
            log.info("not loaded: %s", error)
            if request.model in self._stopped:
                return
            if tell is None or not tell(error.problem):
                self._tell(error.problem)

    async def unload(self, model: str) -> None:
        """Give a model's memory back, or stop loading it. Raises `EngineError`."""
        self._stopped.add(model)
        await self._workspace.unload(model)

    async def close(self) -> None:
        """Stop waiting; what is being loaded goes on in the engine."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
