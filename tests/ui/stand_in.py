"""An engine that says what a test tells it to, on the real socket: states that need seconds or GPUs."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.homes import Home
from tui_chat import __version__
from tui_chat.chat.model import Problem
from tui_chat.wire.api import (
    PROTOCOL,
    EngineChanged,
    EngineInfo,
    ErrorReply,
    LoadRequest,
    ModelInfo,
    ModelRequest,
    ModelState,
    PinRequest,
    PlanReply,
    PlanRequest,
)
from tui_chat.wire.paths import ENGINE, EVENTS, LOAD, PIN, PLANS, UNLOAD
from tui_chat.wire.plan import DeviceKind, DeviceSpec, DeviceUse, KvType, LoadOptions, Plan, Source, Strategy

GIB, MIB = 1 << 30, 1 << 20
DEVICES = (
    DeviceSpec(name="gpu0", kind=DeviceKind.CUDA, total_bytes=24 * GIB, free_bytes=8 * GIB),
    DeviceSpec(name="ram", kind=DeviceKind.RAM, total_bytes=64 * GIB, free_bytes=41 * GIB),
)


MODEL = "SmolLM2-135M-Instruct.Q4_1"


def use(name: str, layers: int, weights: int, kv: int, compute: int = 96) -> DeviceUse:
    """What a plan takes of a device, in MiB."""
    kind = DeviceKind.RAM if name == "ram" else DeviceKind.CUDA
    return DeviceUse(
        name=name, kind=kind, layers=layers, weights_bytes=weights * MIB, kv_bytes=kv * MIB,
        compute_bytes=compute * MIB, overhead_bytes=64 * MIB, free_bytes=17 * GIB,
    )  # fmt: skip


def plan_for(model: str, request: PlanRequest, **changes: object) -> Plan:
    """A plan as the engine makes them: what was left open is chosen."""
    options = LoadOptions(
        context=request.context or 8192, **({"kv_type": request.kv_type} if request.kv_type else {})
    )
    plan = Plan(
        model=model, strategy=Strategy.BALANCED, options=options, fits=True,
        reason=f"All layers on GPU 0 with {options.context} of context.",
        devices=(use("gpu0", 30, 4600, options.context // 8), use("ram", 0, 80, 0, 0)),
        source=Source.LLAMA_CPP if request.exact else Source.ARITHMETIC, verdict="fits on GPU 0",
    )  # fmt: skip
    return msgspec.structs.replace(plan, **changes)


def on_its_way(home: Home, state: ModelState, **more: object) -> ModelInfo:
    """The model of the home, as an engine describes it."""
    path = next(home.paths.models.glob("*.gguf"))
    return ModelInfo(
        id=MODEL, path=str(path), size_bytes=98_362_432, state=state, architecture="llama", quant="Q4_1",
        parameters=134_515_008, trained_context=8192, **more,
    )  # fmt: skip


def ready(home: Home, **more: object) -> ModelInfo:
    told = {
        "context": 8192,
        "options": LoadOptions(context=8192),
        "devices": (use("gpu0", 30, 92, 180, 22), use("ram", 0, 16, 0, 0)),
        "real_bytes": 84 * MIB,
        "keep_alive_s": 3600.0,
        "idle_s": 660.0,
    }
    return on_its_way(home, ModelState.READY, **(told | more))


def neighbour(**more: object) -> ModelInfo:
    """Another model in memory, partly on the GPU."""
    told = {
        "state": ModelState.BUSY,
        "context": 32768,
        "options": LoadOptions(context=32768, kv_type=KvType.Q8_0),
        "devices": (use("gpu0", 24, 12_000, 1600, 300), use("ram", 8, 5400, 500, 120)),
        "real_bytes": 6 * GIB,
        "pinned": True,
    }
    return ModelInfo(
        id="Gemma-27B.Q4_K_M", path="/models/Gemma-27B.Q4_K_M.gguf", size_bytes=17 * GIB, quant="Q4_K_M",
        parameters=27_000_000_000, trained_context=131_072, **(told | more),
    )  # fmt: skip


class StandIn:
    """The other end of the wire. `asked` is what was asked for, in order; plans are made by `make_plan`."""

    def __init__(self) -> None:
        self.residents: tuple[ModelInfo, ...] = ()
        self.parked: tuple[str, ...] = ()
        self.asked: list[LoadRequest | ModelRequest | PinRequest | PlanRequest] = []
        self.make_plan: Callable[[str, PlanRequest], Plan] = plan_for
        self.before_plan: Callable[[PlanRequest], asyncio.Event | None] = lambda request: None
        self.load_problem: Problem | None = None
        self._changed = asyncio.Condition()
        self._seq = 1

    def requests(self, kind: type) -> list[object]:
        """Those of `asked` that are of one kind."""
        return [request for request in self.asked if isinstance(request, kind)]

    async def tell(self, *residents: ModelInfo, parked: tuple[str, ...] = ()) -> None:
        """Have these be the residents from now on, and something be parked of `parked`."""
        async with self._changed:
            self.residents, self.parked, self._seq = residents, parked, self._seq + 1
            self._changed.notify_all()

    @contextlib.asynccontextmanager
    async def serve(self, home: Home) -> AsyncIterator[StandIn]:
        """Listen where the engine of `home` would."""
        socket = home.paths.socket
        socket.parent.mkdir(parents=True, exist_ok=True)
        config = uvicorn.Config(
            self._app(), uds=str(socket), log_level="critical", lifespan="off", timeout_graceful_shutdown=0
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            while not server.started:
                await asyncio.sleep(0)
            yield self
        finally:
            server.should_exit = server.force_exit = True
            await serving
            socket.unlink(missing_ok=True)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(ENGINE, self._info),
                Route(EVENTS, self._events),
                Route(PLANS, self._plans, methods=["POST"]),
                Route(LOAD, self._load, methods=["POST"]),
                Route(UNLOAD, self._done(ModelRequest), methods=["POST"]),
                Route(PIN, self._done(PinRequest), methods=["POST"]),
            ]
        )

    @property
    def _engine(self) -> EngineInfo:
        return EngineInfo(
            version=__version__,
            protocol=PROTOCOL,
            pid=os.getpid(),
            started=datetime.now(UTC),
            idle_exit_s=600.0,
        )

    async def _info(self, request: Request) -> Response:
        return _reply(self._engine)

    async def _events(self, request: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            told = 0
            while True:
                async with self._changed:
                    while self._seq == told:
                        await self._changed.wait()
                    told, change = self._seq, EngineChanged(self.residents, (), self.parked)
                yield b"id: %d\ndata: %s\n\n" % (told, msgspec.json.encode(change))

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def _plans(self, request: Request) -> Response:
        wanted = msgspec.json.decode(await request.body(), type=PlanRequest)
        self.asked.append(wanted)
        if (held := self.before_plan(wanted)) is not None:
            await held.wait()
        return _reply(PlanReply({m: self.make_plan(m, wanted) for m in wanted.models}, {}, DEVICES))

    async def _load(self, request: Request) -> Response:
        wanted = msgspec.json.decode(await request.body(), type=LoadRequest)
        self.asked.append(wanted)
        if self.load_problem is not None:
            return Response(msgspec.json.encode(ErrorReply(self.load_problem)), 409)
        return _reply(next(m for m in self.residents if m.id == wanted.model))

    def _done(self, kind: type) -> Callable[[Request], object]:
        async def handle(request: Request) -> Response:
            self.asked.append(msgspec.json.decode(await request.body(), type=kind))
            return _reply(self._engine)

        return handle


class _Server(uvicorn.Server):
    """Uvicorn that leaves the signals of the test alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield


def _reply(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
