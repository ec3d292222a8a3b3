"""The models this engine can load, found off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
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
        self.threads = settings.models.threads

    async def list(self) -> list[ModelInfo]:
        """Every model on this machine that we know of, broken ones included."""
        return await asyncio.to_thread(list_models, self._paths, self._settings)

    async def resolve(self, wanted: str) -> ModelInfo:
        """Find the one model that `wanted` means.

        Raises:
            BackendError: It is unknown, has vanished, or is broken.
        """
        found = (await self.resolve_all([wanted]))[wanted]
        if isinstance(found, Problem):
            raise BackendError(found)
        return found

    async def resolve_all(self, wanted: Iterable[str]) -> dict[str, ModelInfo | Problem]:
        """Find the models that some names mean, with one look at the disk."""
        names = list(wanted)

        def look() -> dict[str, ModelInfo | Problem]:
            known = list_models(self._paths, self._settings)
            return {name: _usable(find_model(known, name)) for name in names}

        return await asyncio.to_thread(look)

    def path(self, model: ModelInfo) -> Path:
        """Where the model's (first) file is."""
        return Path(model.path)


def _usable(found: ModelInfo | Problem) -> ModelInfo | Problem:
    if isinstance(found, Problem) or found.state is not ModelState.BROKEN:
        return found
    return found.problem or Problem(ProblemCode.MODEL_INVALID, f"{found.id} is unusable.")
