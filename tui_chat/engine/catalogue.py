"""The models that can be had of this engine: files, found off the event loop, and those of servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.scan import find_model, list_models
from tui_chat.wire.api import ModelInfo, ModelKind, ModelState


class Served(Protocol):
    """Whoever knows the models of servers."""

    @property
    def models(self) -> list[ModelInfo]:
        """As they were last listed."""
        ...

    async def current(self) -> list[ModelInfo]:
        """As they are now, or were a moment ago."""
        ...

    def trouble(self, model: str) -> Problem | None:
        """What is wrong with the server that `model` names, if it names one and something is."""
        ...


class Catalogue:
    """Looks models up by id, by part of a name, or by path."""

    def __init__(self, paths: Paths, settings: Settings, served: Served) -> None:
        self._paths = paths
        self._settings = settings
        self._served = served
        self.threads = settings.models.threads

    async def list(self) -> list[ModelInfo]:
        """Every model on this machine and of servers that we know of, broken ones included."""
        found = await asyncio.to_thread(list_models, self._paths, self._settings)
        return [*found, *_for_chat(await self._served.current())]

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
        """Find the models that some names mean, with one look at the disk.

        Servers are waited for only where a name means nothing that is known without.
        """
        names, served = list(wanted), list(_for_chat(self._served.models))
        exact: dict[str, ModelInfo | Problem] = {model.id: model for model in served}
        if all(name in exact for name in names):
            return {name: exact[name] for name in names}  # the disk has nothing to do with it

        def look() -> dict[str, ModelInfo | Problem]:
            return _meant([*list_models(self._paths, self._settings), *served], names)

        found = await asyncio.to_thread(look)
        if not any(isinstance(each, Problem) for each in found.values()):
            return found
        known = await self.list()
        meant = await asyncio.to_thread(_meant, known, names)
        return {
            name: (self._served.trouble(name) or each) if isinstance(each, Problem) else each
            for name, each in meant.items()
        }

    def path(self, model: ModelInfo) -> Path:
        """Where the model's (first) file is."""
        return Path(model.weights)


def _for_chat(served: Iterable[ModelInfo]) -> Iterable[ModelInfo]:
    return (model for model in served if model.kind is ModelKind.CHAT)


def _meant(known: Sequence[ModelInfo], names: Iterable[str]) -> dict[str, ModelInfo | Problem]:
    return {name: _usable(find_model(known, name)) for name in names}


def _usable(found: ModelInfo | Problem) -> ModelInfo | Problem:
    if isinstance(found, Problem) or found.state is not ModelState.BROKEN:
        return found
    return found.problem or Problem(ProblemCode.MODEL_INVALID, f"{found.id} is unusable.")
