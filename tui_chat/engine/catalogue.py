"""The models this engine can load, found off the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.scan import find_model, list_models
from tui_chat.wire.api import ModelInfo, ModelState


class Catalogue:
    """Looks models up by id, by part of a name, or by path."""

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self._paths = paths
        self._settings = settings
        self.default_context = settings.models.context
        self.threads = settings.models.threads

    async def list(self) -> list[ModelInfo]:
        """Every model on this machine that we know of, broken ones included."""
        return await asyncio.to_thread(list_models, self._paths, self._settings)

    async def resolve(self, wanted: str) -> ModelInfo:
        """Find the one model that `wanted` means.

        Raises:
            BackendError: It is unknown, has vanished, or is broken.
        """
        found = await asyncio.to_thread(lambda: find_model(list_models(self._paths, self._settings), wanted))
        if isinstance(found, Problem):
            raise BackendError(found)
        if found.state is ModelState.BROKEN:
            raise BackendError(
                found.problem or Problem(ProblemCode.MODEL_INVALID, f"{found.id} is unusable.")
            )
        return found

    def path(self, model: ModelInfo) -> Path:
        """Where the model's (first) file is."""
        return Path(model.path)
