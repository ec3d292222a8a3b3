"""What can be done to the model under the cursor, in every list of models: unload it, pin it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from textual import work
from textual.widgets import Static

from tui_chat.chat.model import Problem
from tui_chat.client.errors import EngineError
from tui_chat.ui.screens.passing import PassingScreen, R

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.loader import Loader
    from tui_chat.wire.api import ModelInfo


class ModelActions(PassingScreen[R]):
    """A screen with a list of models and a line for notes."""

    _workspace: Workspace
    _loader: Loader

    @property
    def target(self) -> ModelInfo | None:
        """The model that the keys mean."""
        raise NotImplementedError

    @work(group="unloading")
    async def action_unload(self) -> None:
        """Give the model's memory back, or stop loading it."""
        model = self.target
        if model is not None and (model.state.in_memory or model.state.on_its_way):
            await self._try(self._loader.unload(model.id))

    @work(group="pinning")
    async def action_pin(self) -> None:
        """Have the model stay in memory whatever else is loaded, or let it go again."""
        model = self.target
        if model is not None and model.state.in_memory:
            await self._try(self._workspace.pin(model.id, not model.pinned))

    async def _try(self, doing: Awaitable[None]) -> None:
        self.note("")
        try:
            await doing
        except EngineError as error:
            self.tell(error.problem)

    def tell(self, problem: Problem) -> bool:
        """Show a problem here; False when this screen is gone and somebody else must."""
        if not self.there:
            return False
        self.note(" ".join(part for part in (problem.what, problem.kept, problem.remedy) if part))
        return True

    def note(self, text: str) -> None:
        """Show a line that stays until the next one."""
        self.query_one(".list-note", Static).update(text)
