"""Counts the tokens of conversations for any model on this machine, whether it is in memory or not."""

from __future__ import annotations

from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.residents import Residents
from tui_chat.wire.api import CountReply, CountRequest


class Counter:
    """Asks the model itself where it is in memory, else its vocabulary alone."""

    def __init__(self, residents: Residents, catalogue: Catalogue, prober: Prober) -> None:
        self._residents = residents
        self._catalogue = catalogue
        self._prober = prober

    async def count(self, request: CountRequest) -> CountReply:
        """Count what is asked for.

        Raises:
            BackendError: The model is unknown or no good, or its template does not take these turns.
        """
        resident = self._residents.find(request.model)
        if resident is not None and resident.model is not None:
            return await resident.model.count(request.turns)
        found = await self._catalogue.resolve(request.model)
        return await self._prober.count(found.path, request.turns)
