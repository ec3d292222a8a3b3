"""The engine's verbs, as a client speaks them: typed calls over HTTP on the Unix socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import quote, urlencode

from tui_chat.client.servers import ServerVerbs
from tui_chat.wire.api import (
    CountReply,
    CountRequest,
    EngineChanged,
    EngineInfo,
    GenerateRequest,
    GenerationInfo,
    KeptReply,
    LoadRequest,
    ModelInfo,
    ModelRequest,
    PinRequest,
    PlanReply,
    PlanRequest,
    TokenizeReply,
    TokenizeRequest,
)
from tui_chat.wire.cache import CacheInfo
from tui_chat.wire.events import Event, Numbered, Settled
from tui_chat.wire.health import Health
from tui_chat.wire.paths import (
    CACHE,
    CANCEL,
    COUNT,
    ENGINE,
    EVENTS,
    GENERATION_EVENTS,
    GENERATIONS,
    GO_ON,
    HEALTH,
    KEPT,
    LOAD,
    METRICS,
    MODELS,
    PIN,
    PLANS,
    STOP,
    TELEMETRY,
    TELEMETRY_EVENTS,
    TOKENIZE,
    UNLOAD,
)
from tui_chat.wire.telemetry import Sample


class EngineClient(ServerVerbs):
    """One engine, by its verbs. Opens nothing until the first call."""

    async def info(self) -> EngineInfo:
        """Who the engine is and what it is doing."""
        return await self._call("GET", ENGINE, EngineInfo)

    async def stop(self, *, force: bool = False) -> None:
        """Ask the engine to leave; it refuses while it is answering, unless forced."""
        await self._call("POST", STOP + ("?force=1" if force else ""), EngineInfo)

    async def models(self) -> list[ModelInfo]:
        """Every model the engine can load."""
        return await self._call("GET", MODELS, list[ModelInfo])

    async def load(self, request: LoadRequest) -> ModelInfo:
        """Bring a model into memory; returns when it is ready."""
        return await self._call("POST", LOAD, ModelInfo, request, timeout=None)

    async def unload(self, model: str) -> None:
        """Give a resident's memory back, or stop loading it."""
        await self._call("POST", UNLOAD, EngineInfo, ModelRequest(model))

    async def pin(self, model: str, pinned: bool) -> None:
        """Have a resident stay whatever else is loaded, or let it go again."""
        await self._call("POST", PIN, EngineInfo, PinRequest(model, pinned))

    async def plan(self, request: PlanRequest) -> PlanReply:
        """Ask what loading some models would take now."""
        return await self._call("POST", PLANS, PlanReply, request)

    async def cache(self) -> CacheInfo:
        """What is parked."""
        return await self._call("GET", CACHE, CacheInfo)

    async def clear_cache(self, model: str | None = None) -> CacheInfo:
        """Discard what is parked, or what is of the models whose name contains `model`."""
        query = "" if model is None else "?" + urlencode({"model": model})
        return await self._call("DELETE", CACHE + query, CacheInfo)

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens with a resident's own tokenizer."""
        return (await self._call("POST", TOKENIZE, TokenizeReply, TokenizeRequest(model, text))).tokens

    async def count(self, request: CountRequest) -> CountReply:
        """Count the tokens of a conversation as a model would be sent it, whether it is loaded or not."""
        return await self._call("POST", COUNT, CountReply, request)

    async def kept(self, session: str) -> KeptReply:
        """What models hold of a session, in memory or parked, and how quickly they would read the rest."""
        return await self._call("GET", KEPT.format(id=quote(session, safe="")), KeptReply)

    async def telemetry(self) -> Sample:
        """What the engine's instruments read now."""
        return await self._call("GET", TELEMETRY, Sample)

    async def instruments(self) -> AsyncGenerator[Sample, None]:
        """Yield what the instruments read, now and every second, until the connection ends."""
        async with aclosing(self._stream(TELEMETRY_EVENTS, 0, Sample)) as stream:
            async for _, sample in stream:
                yield sample

    async def go_on(self) -> None:
        """Have answers go on although something is hot."""
        await self._call("POST", GO_ON, EngineInfo)

    async def metrics(self) -> str:
        """All that the engine counts and reads, in Prometheus' words."""
        return (await self._request("GET", METRICS)).text

    async def health(self) -> Health:
        """How the engine is, in a word."""
        return await self._call("GET", HEALTH, Health)

    async def generate(self, request: GenerateRequest) -> GenerationInfo:
        """Ask for an answer. Safe to repeat: the same id is the same generation."""
        return await self._call("POST", GENERATIONS, GenerationInfo, request)

    async def cancel(self, id: str) -> None:
        """Stop an answer; its stream ends with `Settled`."""
        await self._call("POST", CANCEL.format(id=id), GenerationInfo)

    async def follow(self, id: str, after: int = 0) -> AsyncGenerator[Numbered, None]:
        """Yield an answer's events from after number `after` to its `Settled`.

        A broken connection is taken up again where it broke: no event is lost or given twice.

        Raises:
            EngineGoneError: The engine died, or does not know this answer.
        """
        while True:
            async with aclosing(self._stream(GENERATION_EVENTS.format(id=id), after, Event)) as stream:
                async for seq, event in stream:
                    yield Numbered(seq, event)
                    after = seq
                    if isinstance(event, Settled):
                        return
            await self.info()

    async def watch(self) -> AsyncGenerator[EngineChanged, None]:
        """Yield the engine's state now and at every change, until the connection ends."""
        async with aclosing(self._stream(EVENTS, 0, EngineChanged)) as stream:
            async for _, change in stream:
                yield change
