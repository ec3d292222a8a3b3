"""What models can go on from without reading it anew: told at once, whatever they are doing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from tui_chat.backends.protocol import ParkableModel
from tui_chat.engine.parking import Parking
from tui_chat.engine.residents import Residents
from tui_chat.engine.swap.learned import Learned
from tui_chat.memory.parkfile import KvIdentity, ParkHeader
from tui_chat.wire.api import Kept, KeptReply, ModelInfo


class Keeping:
    """Puts together what is known of caches in memory and of parked ones. Asks no model anything."""

    def __init__(
        self,
        residents: Residents,
        parking: Parking,
        learned: Learned,
        list_models: Callable[[], Awaitable[list[ModelInfo]]],
    ) -> None:
        self._residents = residents
        self._parking = parking
        self._learned = learned
        self._list_models = list_models

    async def of(self, session: str) -> KeptReply:
        """What is kept of `session`, by models of which something is, or whose pace is known."""
        parked = [entry.header for entry in await self._parking.entries()]
        ours = [header for header in parked if header.label.session == session]
        told = [self._of(info, session, ours) for info in await self._list_models()]
        return KeptReply(tuple(kept for kept in told if kept.tokens or kept.read_tps is not None))

    def _of(self, info: ModelInfo, session: str, parked: Iterable[ParkHeader]) -> Kept:
        resident = self._residents.find(info.path)
        model = resident.model if resident is not None else None
        identity: KvIdentity | None = None
        hot: dict[str, int] = {}
        if isinstance(model, ParkableModel):
            identity = model.description.identity
            owner = self._parking.owners.of
            hot = {each.tag: each.tokens for each in model.branches if owner(each.tag) == session}
        warm: dict[str, int] = {}
        for header in parked:
            if header.label.model == info.id and header.label.answer is not None:
                identity = identity or header.identity
                warm[header.label.answer] = header.count
        return Kept(
            model=info.id,
            hot=tuple(hot),
            warm=tuple(warm),
            tokens=warm | hot,
            read_tps=self._learned.read_tps(info.path),
            cuts_anywhere=identity is None or not (identity.window or identity.recurrent),
        )
