"""How the engine's HTTP surface replies: structs, problems and events, each written in one way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.store.errors import StoreError
from tui_chat.wire.api import ErrorReply

PING_S = 15
"""How often a silent stream says that it is still there."""

_encoder = msgspec.json.Encoder()


def reply(body: object, status: int = 200) -> Response:
    """Encode a struct."""
    return Response(_encoder.encode(body), status, media_type="application/json")


def refuse(problem: Problem, status: int = 400) -> Response:
    """Encode a problem."""
    return reply(ErrorReply(problem), status)


def not_found(id: str) -> Response:
    """Say that the engine knows no such generation."""
    return refuse(Problem(ProblemCode.BAD_REQUEST, f"The engine knows no answer {id}."), 404)


def not_resident(model: str) -> Problem:
    """Say that a model is not in memory."""
    return Problem(ProblemCode.MODEL_UNKNOWN, f"{model} is not in memory.")


def sse(seq: int, body: object) -> bytes:
    """One server-sent event; `seq` is what a client sends back as Last-Event-ID."""
    return b"id: %d\ndata: %s\n\n" % (seq, _encoder.encode(body))


Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler) -> Handler:
    """Turn what a handler may raise into an `ErrorReply`."""

    async def call(request: Request) -> Response:
        try:
            return await handler(request)
        except msgspec.MsgspecError as error:
            problem = Problem(ProblemCode.BAD_REQUEST, f"The request cannot be read: {error}.")
            return refuse(problem)
        except (BackendError, StoreError) as error:
            return refuse(error.problem, 409)

    return call
