"""The engine's HTTP surface. Thin: it decodes, asks, encodes; every error is an `ErrorReply`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.engine.core import Engine
from tui_chat.engine.generations import Generation
from tui_chat.engine.journaling import Journal
from tui_chat.engine.replies import PING_S, Handler, guarded, not_found, not_resident, refuse, reply, sse
from tui_chat.engine.servers.surface import ServersSurface
from tui_chat.engine.swap.resident import Want
from tui_chat.wire.api import (
    CountRequest,
    GenerateRequest,
    LoadRequest,
    ModelRequest,
    PinRequest,
    PlanRequest,
    TokenizeReply,
    TokenizeRequest,
)
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

HEARD_WITHIN_S = 5.0
"""How long an answer that is written for listeners only waits for the first of them."""


class Surface:
    """The handlers, one per verb."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def info(self, request: Request) -> Response:
        """Say who the engine is and what it does."""
        return reply(self._engine.info)

    async def stop(self, request: Request) -> Response:
        """Leave; unless forced, only when no answer is being written."""
        if self._engine.scheduler.idle or request.query_params.get("force") == "1":
            self._engine.leave.set()
            return reply(self._engine.info, 202)
        count = len(self._engine.generations.running)
        return refuse(
            Problem(
                ProblemCode.BAD_REQUEST,
                f"The engine is writing {count} answer{'s' if count > 1 else ''}.",
                kept="Nothing was stopped.",
                remedy="Wait for the end, or stop it with --force; the text so far is kept.",
            ),
            409,
        )

    async def events(self, request: Request) -> Response:
        """Stream the state of residents and generations, now and at every change."""

        async def stream() -> AsyncIterator[bytes]:
            async for seq, change in self._engine.watch():
                yield sse(seq, change)

        return EventSourceResponse(stream(), ping=PING_S)

    async def models(self, request: Request) -> Response:
        """List the models on this machine."""
        return reply(await self._engine.list_models())

    async def load(self, request: Request) -> Response:
        """Bring a model into memory."""
        wanted = msgspec.json.decode(await request.body(), type=LoadRequest)
        want = Want(
            model=wanted.model,
            context=wanted.context,
            kv_type=wanted.kv_type,
            strategy=wanted.strategy,
            keep_alive_s=wanted.keep_alive_s,
            force=wanted.force,
        )
        resident = await self._engine.residents.acquire(want, lambda *_: None)
        return reply(resident.info)

    async def unload(self, request: Request) -> Response:
        """Give a resident's memory back, unless it is answering, or stop loading it."""
        wanted = msgspec.json.decode(await request.body(), type=ModelRequest)
        if not await self._engine.residents.unload(wanted.model):
            return refuse(not_resident(wanted.model), 409)
        return reply(self._engine.info)

    async def pin(self, request: Request) -> Response:
        """Have a resident stay whatever else is loaded, or let it go again."""
        wanted = msgspec.json.decode(await request.body(), type=PinRequest)
        if not await self._engine.residents.pin(wanted.model, pinned=wanted.pinned):
            return refuse(not_resident(wanted.model), 409)
        return reply(self._engine.info)

    async def plans(self, request: Request) -> Response:
        """Say what loading some models would take now."""
        wanted = msgspec.json.decode(await request.body(), type=PlanRequest)
        return reply(await self._engine.plans.reply(wanted))

    async def cache(self, request: Request) -> Response:
        """Say what is parked."""
        return reply(await self._engine.parking.info())

    async def clear_cache(self, request: Request) -> Response:
        """Discard what is parked, of one model if it is named; say what was discarded."""
        return reply(await self._engine.parking.clear(request.query_params.get("model")))

    async def tokenize(self, request: Request) -> Response:
        """Count tokens with a resident's tokenizer; never loads a model for it."""
        wanted = msgspec.json.decode(await request.body(), type=TokenizeRequest)
        resident = self._engine.residents.find(wanted.model)
        if resident is None or resident.model is None:
            return refuse(not_resident(wanted.model), 409)
        return reply(TokenizeReply(await resident.model.tokenize(wanted.text)))

    async def count(self, request: Request) -> Response:
        """Count the tokens of a conversation as a model would be sent it; never loads its weights."""
        wanted = msgspec.json.decode(await request.body(), type=CountRequest)
        return reply(await self._engine.counter.count(wanted))

    async def kept(self, request: Request) -> Response:
        """Say what is kept of one session; never waits for an answer."""
        return reply(await self._engine.keeping.of(request.path_params["id"]))

    async def telemetry(self, request: Request) -> Response:
        """Read the instruments once."""
        sample = await self._engine.instruments.once()
        if sample is None:
            problem = Problem(
                ProblemCode.BAD_REQUEST,
                "The engine does not read its instruments.",
                remedy="It does with instruments.enabled = true, after `tui-chat engine stop`.",
            )
            return refuse(problem, 409)
        return reply(sample)

    async def telemetry_events(self, request: Request) -> Response:
        """Stream what the instruments read, now and every second."""

        async def stream() -> AsyncIterator[bytes]:
            async with aclosing(self._engine.instruments.watch()) as samples:
                async for seq, sample in samples:
                    yield sse(seq, sample)

        return EventSourceResponse(stream(), ping=PING_S)

    async def go_on(self, request: Request) -> Response:
        """Have answers go on although something is hot."""
        self._engine.governor.let_go()
        return reply(self._engine.info)

    async def metrics(self, request: Request) -> Response:
        """Tell all counts and readings in Prometheus' words."""
        text, content_type = await self._engine.exposition()
        return Response(text, media_type=content_type)

    async def health(self, request: Request) -> Response:
        """Say in a word how the engine is; 503 once it no longer takes work."""
        leaving = self._engine.leave.is_set()
        return reply(self._engine.health, 503 if leaving else 200)

    async def generate(self, request: Request) -> Response:
        """Admit a generation. The same id twice is one generation, so a lost reply can be asked again."""
        wanted = msgspec.json.decode(await request.body(), type=GenerateRequest)
        known = self._engine.generations.get(wanted.id)
        if known is None:
            journal = await Journal.create(wanted, datetime.now(UTC))
            known = self._engine.generations.add(wanted)
            self._engine.scheduler.admit(known, journal)
            if wanted.only_while_heard:  # the asker may have died before it listened
                asyncio.get_running_loop().call_later(HEARD_WITHIN_S, self._stop_unheard, known)
        return reply(known.info, 202)

    async def generation_events(self, request: Request) -> Response:
        """Stream one generation from after `Last-Event-ID` (or from the start) to its end."""
        generation = self._engine.generations.get(request.path_params["id"])
        if generation is None:
            return not_found(request.path_params["id"])
        last = request.headers.get("last-event-id", "0")
        after = int(last) if last.isdigit() else 0

        async def stream() -> AsyncIterator[bytes]:
            try:
                async for numbered in generation.follow(after):
                    yield sse(numbered.seq, numbered.event)
            finally:
                self._stop_unheard(generation)

        return EventSourceResponse(stream(), ping=PING_S)

    def _stop_unheard(self, generation: Generation) -> None:
        if generation.unheard:
            self._engine.scheduler.cancel(generation)

    async def cancel(self, request: Request) -> Response:
        """Stop one generation; its stream ends with `Settled`."""
        generation = self._engine.generations.get(request.path_params["id"])
        if generation is None:
            return not_found(request.path_params["id"])
        if generation.settled is None:
            self._engine.scheduler.cancel(generation)
        return reply(generation.info, 202)


def build_app(engine: Engine) -> Starlette:
    """Lay out the routes over `engine`."""
    surface = Surface(engine)

    def route(path: str, handler: Handler, method: str) -> Route:
        return Route(path, guarded(handler), methods=[method])

    return Starlette(
        routes=[
            route(ENGINE, surface.info, "GET"),
            route(STOP, surface.stop, "POST"),
            route(EVENTS, surface.events, "GET"),
            route(MODELS, surface.models, "GET"),
            route(LOAD, surface.load, "POST"),
            route(UNLOAD, surface.unload, "POST"),
            route(PIN, surface.pin, "POST"),
            route(PLANS, surface.plans, "POST"),
            route(CACHE, surface.cache, "GET"),
            route(CACHE, surface.clear_cache, "DELETE"),
            route(TOKENIZE, surface.tokenize, "POST"),
            route(COUNT, surface.count, "POST"),
            route(TELEMETRY, surface.telemetry, "GET"),
            route(TELEMETRY_EVENTS, surface.telemetry_events, "GET"),
            route(GO_ON, surface.go_on, "POST"),
            route(METRICS, surface.metrics, "GET"),
            route(HEALTH, surface.health, "GET"),
            route(KEPT, surface.kept, "GET"),
            route(GENERATIONS, surface.generate, "POST"),
            route(GENERATION_EVENTS, surface.generation_events, "GET"),
            route(CANCEL, surface.cancel, "POST"),
            *(route(*verb) for verb in ServersSurface(engine).routes),
        ]
    )
