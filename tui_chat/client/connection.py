"""The line to an engine: HTTP on its Unix socket, and what is said when that does not work."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.client.errors import EngineError, EngineGoneError
from tui_chat.wire.api import ErrorReply

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

REPLY_S = 10.0
"""How long a short request may take; loading a model has no limit of its own."""

SILENCE_S = 60.0
"""Silence that counts as a dead stream: four of the engine's pings."""

_NOT_FOUND, _FIRST_ERROR = 404, 400


class Connection:
    """A connection pool to one engine. Opens nothing until the first call."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._http: httpx.AsyncClient | None = None

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            from tui_chat.wire.lean import httpx

            transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
            self._http = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=REPLY_S)
        return self._http

    async def close(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.aclose()

    async def _stream(self, path: str, after: int, type_: Any) -> AsyncGenerator[tuple[int, Any], None]:
        """Yield decoded events until the stream ends or breaks; the caller knows if that is early."""
        from httpx_sse import aconnect_sse

        from tui_chat.wire.lean import httpx

        decoder = msgspec.json.Decoder(type_)
        headers = {"Last-Event-ID": str(after)}
        try:
            async with aconnect_sse(self._client, "GET", path, headers=headers, timeout=SILENCE_S) as source:
                if source.response.status_code >= _FIRST_ERROR:
                    await source.response.aread()
                    raise _refusal(source.response)
                async with aclosing(source.aiter_sse()) as events:
                    async for sse in events:
                        if sse.data:  # a ping is an event without data
                            yield int(sse.id), decoder.decode(sse.data)
        except httpx.ConnectError as error:
            raise _gone(self.socket) from error
        except httpx.TransportError:
            return

    async def _call(
        self,
        method: str,
        path: str,
        type_: type[T],
        body: msgspec.Struct | None = None,
        timeout: float | None = REPLY_S,
    ) -> T:
        response = await self._request(method, path, body, timeout)
        return msgspec.json.decode(response.content, type=type_)

    async def _request(
        self, method: str, path: str, body: msgspec.Struct | None = None, timeout: float | None = REPLY_S
    ) -> httpx.Response:
        from tui_chat.wire.lean import httpx

        content = msgspec.json.encode(body) if body is not None else None
        try:
            response = await self._client.request(method, path, content=content, timeout=timeout)
        except httpx.TimeoutException as error:
            what = f"The engine at {self.socket} did not reply within {timeout:.0f} s."
            remedy = "`tui-chat engine stop --force` ends it; the next message starts a new one."
            raise EngineError(Problem(ProblemCode.ENGINE_UNREACHABLE, what, remedy=remedy)) from error
        except httpx.TransportError as error:
            raise _gone(self.socket) from error
        if response.status_code >= _FIRST_ERROR:
            raise _refusal(response)
        return response


def _gone(socket: Path) -> EngineGoneError:
    return EngineGoneError(Problem(ProblemCode.ENGINE_UNREACHABLE, f"No engine answers at {socket}."))


def _refusal(response: httpx.Response) -> EngineError:
    problem = Problem(ProblemCode.ENGINE_UNREACHABLE, f"The engine replied {response.status_code}.")
    with contextlib.suppress(msgspec.MsgspecError):
        problem = msgspec.json.decode(response.content, type=ErrorReply).problem
    return EngineGoneError(problem) if response.status_code == _NOT_FOUND else EngineError(problem)
