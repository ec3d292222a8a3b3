"""Counts the tokens of conversations for any model, whether it is in memory or not."""

from __future__ import annotations

import msgspec

from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.protocol import BackendError
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.residents import Residents
from tui_chat.engine.servers.registry import Servers
from tui_chat.wire.api import CountReply, CountRequest, ModelInfo, Turn


class Counter:
    """Asks the model itself where it can be asked, else the vocabulary in its file alone."""

    def __init__(self, residents: Residents, catalogue: Catalogue, prober: Prober, servers: Servers) -> None:
        self._residents = residents
        self._catalogue = catalogue
        self._prober = prober
        self._servers = servers

    async def count(self, request: CountRequest) -> CountReply:
        """Count what is asked for.

        Raises:
            BackendError: The model is unknown or no good, its server cannot count, or its template does not
                take these turns.
        """
        resident = self._residents.find(request.model)
        found = resident.info if resident is not None else await self._catalogue.resolve(request.model)
        if found.server:
            return await self._count_there(found, request.turns)
        if resident is not None and resident.model is not None:
            return await resident.model.count(request.turns)
        return await self._prober.count(found.path, request.turns)

    async def _count_there(self, found: ModelInfo, turns: tuple[Turn, ...]) -> CountReply:
        """Have its server count; where that cannot, its file, which may have another template."""
        try:
            return await self._servers.get(found.server).attach(self._servers.served(found)).count(turns)
        except BackendError:
            if not found.weights:
                raise
        return msgspec.structs.replace(await self._prober.count(found.weights, turns), exact=False)
