"""How many tokens things are for each model: asked of the engine where that is quick, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tui_chat.chat.compose import Line
from tui_chat.chat.measure import Ruler
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError, EngineGoneError
from tui_chat.client.launch import ensure_engine
from tui_chat.client.turns import turns_of
from tui_chat.wire.api import CountReply, CountRequest


class Tokens:
    """One ruler for each model, shared by all conversations of a terminal."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._rulers: dict[str, Ruler] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    def ruler(self, model: str) -> Ruler:
        """What is known of the tokens of `model`."""
        return self._rulers.setdefault(model, Ruler())

    async def learn(self, model: str, lines: Sequence[Line], *, start: bool = False) -> bool:
        """Have all of `lines` counted by the model's own tokenizer; says whether they are.

        Nothing is asked where all are known. An engine that cannot count leaves it at estimates; one that
        is not there is started only where it matters (`start`).
        """
        ruler = self.ruler(model)
        if ruler.knows(lines):
            return True
        async with self._asking.setdefault(model, asyncio.Lock()):
            if ruler.knows(lines):
                return True
            request = CountRequest(model, turns_of(lines))
            try:
                reply = await self._count(request, start=start)
            except EngineError:
                return False
        if len(reply.turns) == len(lines):
            ruler.learn(lines, reply.turns, reply.total, exact=reply.exact)
        return ruler.knows(lines)

    async def _count(self, request: CountRequest, *, start: bool) -> CountReply:
        try:
            return await self._engine.count(request)
        except EngineGoneError:
            if not start:
                raise
        await ensure_engine(self._engine)
        return await self._engine.count(request)
