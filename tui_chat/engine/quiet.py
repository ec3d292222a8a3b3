"""What the engine does while nobody waits for it: parks what models have read, readies what comes next."""

from __future__ import annotations

import asyncio

from tui_chat.engine.parking import Parking
from tui_chat.engine.residents import Residents
from tui_chat.engine.scheduler import Scheduler
from tui_chat.engine.swap.prewarm import Prewarmer

QUIET_S = 3.0
"""Without work for so long, nobody is about to send the next message at once; typing takes longer."""
_LOOK_S = 0.5


class Quiet:
    """Uses the time between answers, so that a later eviction, expiry, exit or load finds its work done.

    Args:
        scheduler: Says how long nothing has run.
        residents: Whose conversations are parked.
        parking: Parks them.
        prewarmer: Readies models that nobody has asked for; None to have no guesses.
    """

    def __init__(
        self, scheduler: Scheduler, residents: Residents, parking: Parking, prewarmer: Prewarmer | None
    ) -> None:
        self._scheduler = scheduler
        self._residents = residents
        self._parking = parking
        self._prewarmer = prewarmer

    async def run(self) -> None:
        """Wait for quiet times as long as the engine lives."""
        await self._parking.look()
        try:
            while True:
                await asyncio.sleep(_LOOK_S)
                if self._scheduler.idle_s >= QUIET_S:
                    await self._parking.rest(self._residents.idle)
                    self._guess()
                else:
                    self._stop()
        finally:
            self._stop()

    def _guess(self) -> None:
        if self._prewarmer is not None:
            self._prewarmer.look()

    def _stop(self) -> None:
        if self._prewarmer is not None:
            self._prewarmer.stop()
