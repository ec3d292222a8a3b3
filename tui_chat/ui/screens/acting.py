"""What can be done to the model under the cursor, in every list of models: unload it, pin it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from tui_chat.ui.screens.noting import NotingScreen
from tui_chat.ui.screens.passing import R

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.loader import Loader
    from tui_chat.wire.api import ModelInfo


class ModelActions(NotingScreen[R]):
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
            await self.attempt(self._loader.unload(model.id))

    @work(group="pinning")
    async def action_pin(self) -> None:
        """Have the model stay in memory whatever else is loaded, or let it go again."""
        model = self.target
        if model is not None and model.state.in_memory:
            await self.attempt(self._workspace.pin(model.id, not model.pinned))
