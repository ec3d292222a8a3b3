"""Which model is in memory. One writer: every load and unload goes through here, one at a time.

One model is resident at a time for now; choosing who may stay beside whom is the business of a
memory forecast, and until there is one the honest policy is to give back before taking.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tui_chat.backends.protocol import Backend, LoadedModel, LoadPlan
from tui_chat.engine.catalogue import Catalogue
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import ALL_LAYERS, LoadOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory, or on its way there (`model` is None while it loads)."""

    info: ModelInfo
    model: LoadedModel | None
    load_ms: float = 0.0


class Residents:
    """Loads models on demand and gives their memory back."""

    def __init__(self, backend: Backend, catalogue: Catalogue, on_change: Callable[[], None]) -> None:
        self._backend = backend
        self._catalogue = catalogue
        self._on_change = on_change
        self._changing = asyncio.Lock()
        self._resident: Resident | None = None

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """What is in memory or loading now."""
        return (self._resident.info,) if self._resident else ()

    async def acquire(
        self, wanted: str, context: int | None, on_progress: Callable[[str, float], None]
    ) -> Resident:
        """Return the model `wanted` in memory with at least `context` tokens, loading it if need be.

        Raises:
            BackendError: The model is unknown, missing, broken, or cannot be loaded.
        """
        async with self._changing:
            found = await self._catalogue.resolve(wanted)
            size = context_for(found, context, self._catalogue.default_context)
            current = self._resident
            if current and current.model and current.info.path == found.path:
                described = current.model.description
                if current.model.death is None and described.context >= size:
                    return current
            await self._release()
            return await self._load(found, size, on_progress)

    async def _load(
        self, found: ModelInfo, context: int, on_progress: Callable[[str, float], None]
    ) -> Resident:
        loading = msgspec.structs.replace(found, state=ModelState.LOADING, context=context)
        self._set(Resident(loading, None))
        plan = LoadPlan(
            path=self._catalogue.path(found),
            options=LoadOptions(context=context, gpu_layers=ALL_LAYERS),
            threads=self._catalogue.threads,
        )
        started = time.monotonic()
        log.info("loading %s with a context of %d tokens", found.id, context)
        try:
            model = await self._backend.load(plan, lambda fraction: on_progress(found.id, fraction))
        except BaseException:
            self._set(None)
            raise
        took = (time.monotonic() - started) * 1e3
        log.info("loaded %s in %.0f ms", found.id, took)
        described = model.description
        ready = msgspec.structs.replace(
            found,
            state=ModelState.READY,
            context=described.context,
            trained_context=described.trained_context,
            parameters=described.parameters,
            architecture=described.architecture,
        )
        resident = Resident(ready, model, took)
        self._set(resident)
        return resident

    def mark(self, busy: bool) -> None:
        """Show whether the resident is answering."""
        if self._resident and self._resident.model:
            state = ModelState.BUSY if busy else ModelState.READY
            info = msgspec.structs.replace(self._resident.info, state=state)
            self._set(dataclasses.replace(self._resident, info=info))

    def find(self, wanted: str) -> LoadedModel | None:
        """The living resident called `wanted`, without loading anything."""
        current = self._resident
        if current is None or current.model is None or current.model.death is not None:
            return None
        return current.model if wanted in (current.info.id, current.info.path) else None

    async def drop_dead(self) -> None:
        """Forget a resident whose process has died."""
        async with self._changing:
            if self._resident and self._resident.model and self._resident.model.death is not None:
                await self._release()

    async def unload(self) -> None:
        """Give all memory back."""
        async with self._changing:
            await self._release()

    async def _release(self) -> None:
        current = self._resident
        self._set(None)
        if current and current.model:
            log.info("unloading %s", current.info.id)
            await current.model.close()

    def _set(self, resident: Resident | None) -> None:
        self._resident = resident
        self._on_change()


def context_for(found: ModelInfo, wanted: int | None, default: int) -> int:
    """The context to load with: what is wanted or the default, within what the model was trained for."""
    size = wanted or default
    return min(size, found.trained_context) if found.trained_context else size
