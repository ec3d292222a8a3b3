"""One load from its plan to its end: the ladder of smaller plans when memory turns out not to be there."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui_chat.backends.protocol import Backend, BackendError, LoadedModel, LoadPlan
from tui_chat.chat.model import ProblemCode
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.swap.choice import Choice
from tui_chat.engine.swap.learned import Learned
from tui_chat.engine.swap.resident import Progress, Table
from tui_chat.engine.tally import Tally
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import ALL_LAYERS, Plan

log = logging.getLogger(__name__)

_WARMING = 0.9
"""From here on the bar is about the context and the first evaluation."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, by which plan, and in how many seconds."""

    model: LoadedModel
    plan: Plan
    seconds: float


class Loader:
    """Loads models and shows how far it is."""

    def __init__(
        self, backend: Backend, catalogue: Catalogue, table: Table, learned: Learned, tally: Tally
    ) -> None:
        self._backend = backend
        self._catalogue = catalogue
        self._table = table
        self._learned = learned
        self._tally = tally

    async def load(
        self,
        found: ModelInfo,
        choice: Choice,
        make_room: Callable[[], Awaitable[None]],
        on_progress: Progress,
    ) -> Loaded:
        """Load `found` as chosen, once `make_room` is through.

        Raises:
            BackendError: It cannot be loaded; what was missing, if that was memory, has been noted.
        """
        started = time.monotonic()
        expected = choice.plan.load_s

        async def clear() -> None:
            nonlocal started
            await make_room()
            started = time.monotonic()
            self._table.change(
                found.path, info={"state": ModelState.SPAWNING, "progress": 0.0, "eta_s": expected}
            )

        def progress(fraction: float) -> None:
            elapsed = time.monotonic() - started
            eta = _left(elapsed, fraction, expected)
            state = ModelState.WARMING if fraction >= _WARMING else ModelState.LOADING
            shown = {"state": state, "progress": round(fraction, 3), "eta_s": eta}
            self._table.change(found.path, info=shown)
            on_progress(found.id, fraction, eta)

        options = choice.plan.options
        if found.server and len(choice.plan.devices) == 1:
            options = msgspec.structs.replace(options, gpu_layers=ALL_LAYERS)  # if it has a GPU after all
        plan = LoadPlan(
            path=self._catalogue.path(found),
            options=options,
            threads=self._catalogue.threads,
            checkpoint_floor=choice.plan.devices[-1].margin_bytes,
            projector=Path(choice.plan.projector) if choice.plan.projector else None,
            served=found if found.server else None,
            keep_alive_s=known.keep_alive_s if (known := self._table.get(found.path)) else None,
        )
        log.info("loading %s: %s", found.id, choice.plan.reason)
        try:
            model = await self._backend.load(plan, progress, clear)
        except BackendError as error:
            if error.problem.code is ProblemCode.OUT_OF_MEMORY:
                self._note_missing(found, choice.plan, error)
                self._tally.out_of_memory[found.id] += 1
            elif error.problem.code is ProblemCode.WORKER_DIED:
                self._tally.deaths[found.id] += 1
            raise
        seconds = time.monotonic() - started
        log.info("loaded %s in %.0f ms", found.id, seconds * 1e3)
        self._learned.loaded(found.path, found.size_bytes, seconds)
        self._tally.loaded(found.id, seconds)
        return Loaded(model, choice.plan, seconds)

    def _note_missing(self, found: ModelInfo, plan: Plan, error: BackendError) -> None:
        """Learn from an allocation that failed: so much of the room on that device is not there.

        Of what the plan takes of the device everything up to the failed buffer was there, and the buffer
        was not; half of it is the best guess at how much is missing, so three tries are down to an eighth.
        """
        allocation = error.allocation
        device = plan.devices[-1]
        size = device.total_bytes // 8
        if allocation is not None:
            size = max(allocation.size // 2, 1)
            device = next((use for use in plan.devices if use.name == allocation.device), device)
        log.warning("%s did not fit by %d MiB on %s", found.id, size >> 20, device.name)
        known = self._learned.missing(found.path).get(device.name, 0)
        spare = max(0, device.free_bytes - device.margin_bytes - device.total_bytes)
        self._learned.fell_short(found.path, device.name, known + spare + size)


def _left(elapsed: float, fraction: float, expected: float | None) -> float | None:
    """Seconds until the end: by what loads took here before, else by what has been done so far."""
    if expected is not None and elapsed < expected:
        return round(expected - elapsed, 1)
    return round(elapsed / fraction - elapsed, 1) if fraction > 0 else None
