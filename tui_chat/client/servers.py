"""The engine's verbs about servers: which there are, and what is done to their collections of models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.client.connection import Connection
from tui_chat.client.errors import EngineGoneError
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
from tui_chat.wire.servers import (
    CopyRequest,
    CreateRequest,
    ModelCard,
    Pull,
    PullState,
    ServedRequest,
    ServerInfo,
    ServersReply,
)

ASK_S = 30.0
"""How long the engine may take where it has to ask servers first."""


class ServerVerbs(Connection):
    """What an engine does with servers. All raise `EngineError`, with what the server said."""

    async def servers(self, *, look: bool = False) -> tuple[ServerInfo, ...]:
        """All servers as they are now; with `look`, others on this machine are looked for first."""
        path = SERVERS + ("?look=1" if look else "")
        return (await self._call("GET", path, ServersReply, timeout=ASK_S)).servers

    async def known_servers(self) -> tuple[ServerInfo, ...]:
        """All servers as they were last seen; none of them is asked."""
        return (await self._call("GET", SERVERS + "?known=1", ServersReply)).servers

    async def model_card(self, server: str, model: str) -> ModelCard:
        """All that a server tells of one model."""
        wanted = ServedRequest(server, model)
        return await self._call("POST", SERVERS_SHOW, ModelCard, wanted, timeout=ASK_S)

    async def pull_model(self, server: str, model: str) -> Pull:
        """Have a server fetch a model; returns when that has begun."""
        return await self._call("POST", SERVERS_PULL, Pull, ServedRequest(server, model))

    async def create_model(self, server: str, model: str, path: str) -> Pull:
        """Have a server make a model of the file at `path` on this machine; returns when that has begun."""
        return await self._call("POST", SERVERS_CREATE, Pull, CreateRequest(server, model, path))

    async def copy_model(self, server: str, model: str, to: str) -> None:
        """Have a server give a model a second name."""
        wanted = CopyRequest(server, model, to)
        await self._call("POST", SERVERS_COPY, ServersReply, wanted, timeout=ASK_S)

    async def delete_model(self, server: str, model: str) -> None:
        """Have a server delete a model from its disk."""
        wanted = ServedRequest(server, model)
        await self._call("POST", SERVERS_DELETE, ServersReply, wanted, timeout=ASK_S)

    async def pulls(self) -> AsyncGenerator[tuple[Pull, ...]]:
        """Yield what servers are fetching, and have fetched lately, now and as it gets on."""
        async with aclosing(self._stream(SERVERS_PULLS, 0, tuple[Pull, ...])) as stream:
            async for _, pulls in stream:
                yield pulls

    async def follow_pull(self, begun: Pull) -> AsyncGenerator[Pull]:
        """Yield how far a pull is, to its end; a broken connection is taken up again.

        Raises:
            EngineGoneError: The engine died, and with it the pull.
        """
        latest = begun
        yield latest
        while latest.state is PullState.RUNNING:
            async with aclosing(self.pulls()) as snapshots:
                async for pulls in snapshots:
                    latest = _of(pulls, begun)
                    yield latest
                    if latest.state is not PullState.RUNNING:
                        return

    async def cancel_pull(self, server: str, model: str) -> None:
        """Stop a pull; what was fetched stays with the server."""
        wanted = ServedRequest(server, model)
        await self._call("POST", SERVERS_PULL_CANCEL, tuple[Pull, ...], wanted, timeout=ASK_S)


def _of(pulls: Sequence[Pull], begun: Pull) -> Pull:
    """How far the pull that was `begun` is."""
    for pull in pulls:
        if (pull.server, pull.model) == (begun.server, begun.model):
            return pull
    raise EngineGoneError(
        Problem(
            ProblemCode.ENGINE_UNREACHABLE,
            f"The engine was started anew, and no longer has {begun.server} fetch {begun.model}.",
            kept=f"What came so far is kept by {begun.server}.",
            remedy="Ask for it again; it goes on from there.",
        )
    )
