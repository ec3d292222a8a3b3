"""The verbs that every server speaks to the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from tui_chat.backends.protocol import LoadedModel
from tui_chat.backends.servers.link import Link
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import ModelCard, Pull, ServedModel, ServerInfo


class Server(Protocol):
    """One server, reached over its link."""

    @property
    def link(self) -> Link:
        """How it is reached."""
        ...

    @property
    def info(self) -> ServerInfo:
        """What was last known of it, without asking."""
        ...

    async def look(self) -> ServerInfo:
        """Ask how it is, what it has, and what it has loaded.

        Never raises: a server that does not answer is `DOWN`, with the problem in `info`, and lists the
        models that it had.
        """
        ...

    async def load(
        self,
        model: ServedModel,
        options: LoadOptions | None,
        keep_alive_s: float | None,
        on_progress: Callable[[float], None],
    ) -> LoadedModel:
        """Have `model` ready to answer, loaded as `options` say where the server lets that be said.

        A server that loads by itself, when it is first asked, is not made to load. Cancelling the task stops
        the load where the server can be stopped.

        Args:
            model: As it was listed.
            options: How it is to be loaded; None leaves that to the server.
            keep_alive_s: How long it stays when idle: 0 goes at once, negative stays; None as it likes.
            on_progress: Told how much is loaded, 0..1, where the server tells.

        Raises:
            ServerError: It cannot be loaded.
        """
        ...

    def attach(self, model: ServedModel) -> LoadedModel:
        """Take over a model that the server has loaded already, for whomever."""
        ...

    async def unload(self, model: str) -> None:
        """Have the memory of `model` given back; returns when the server no longer lists it as loaded.

        Raises:
            ServerError: It cannot be unloaded, or is still answering somebody.
        """
        ...

    async def show(self, model: str) -> ModelCard:
        """Tell all that the server tells of one model. Raises `ServerError`."""
        ...

    async def close(self) -> None:
        """Close all connections; what is loaded stays loaded."""
        ...


@runtime_checkable
class Keeper(Server, Protocol):
    """A server that lets its collection of models be changed."""

    def pull(self, model: str) -> AsyncGenerator[Pull]:
        """Fetch a model, telling how far it is; closing the generator stops it, and what came is kept.

        Raises:
            ServerError: It cannot be had.
        """
        ...

    async def delete(self, model: str) -> None:
        """Delete a model from the server's disk. Raises `ServerError`."""
        ...

    async def copy(self, model: str, to: str) -> None:
        """Give a model a second name. Raises `ServerError`."""
        ...

    def create(self, model: str, file: Path) -> AsyncGenerator[Pull]:
        """Make a model called `model` from a GGUF file of this machine, telling how far it is.

        Raises:
            ServerError: It cannot be made.
        """
        ...
