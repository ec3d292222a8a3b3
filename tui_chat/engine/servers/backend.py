"""The one backend that the engine loads models with, whoever runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tui_chat.backends.protocol import Backend, LoadedModel, LoadPlan
from tui_chat.engine.servers.registry import Servers


class Backends:
    """Loads GGUF files itself through `own`, and has servers load theirs."""

    def __init__(self, own: Backend, servers: Servers) -> None:
        self._own = own
        self._servers = servers

    async def load(
        self,
        plan: LoadPlan,
        on_progress: Callable[[float], None],
        make_room: Callable[[], Awaitable[None]] | None = None,
    ) -> LoadedModel:
        """Load by `plan`; see `Backend.load`."""
        if plan.served is None:
            return await self._own.load(plan, on_progress, make_room)
        server = self._servers.get(plan.served.server)
        served = self._servers.served(plan.served)
        if make_room is not None:
            await make_room()
        return await server.load(served, plan.options, plan.keep_alive_s, on_progress)
