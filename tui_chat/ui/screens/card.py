"""The card of a server's model: what it is, and what its makers wrote about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from textual import work
from textual.content import Content

from tui_chat.client.errors import EngineError
from tui_chat.ui.screens.factual import FactsScreen
from tui_chat.ui.servers.card import card
from tui_chat.wire.servers import ModelCard


class CardScreen(FactsScreen):
    """Asks the server when it is opened, and scrolls: licences are long."""

    def __init__(self, title: str, server: str, ask: Callable[[], Awaitable[ModelCard]]) -> None:
        """Make the screen; `ask` has the engine ask the server."""
        super().__init__(title, lambda width: Content.styled(f"asking {server} …", "$muted"))
        self._ask = ask

    def on_mount(self) -> None:
        """Ask; until there is an answer, it says so."""
        self._read()

    @work(exclusive=True, group="card")
    async def _read(self) -> None:
        try:
            self.show(partial(card, await self._ask()))
        except EngineError as error:
            told = " ".join(part for part in (error.problem.what, error.problem.remedy) if part)
            self.show(lambda width: Content.styled(told, "$warning"))
