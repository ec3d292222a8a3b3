"""An HTTP server on a real socket, in a thread of its own, that answers as a test says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.raw_http import JSON, ClientGoneError, Line, Request, listen


class Exchange:
    """One request, and the way its reply goes back."""

    def __init__(self, request: Request, line: Line, *, whole: bool = False) -> None:
        self._whole = whole
        parts = urlsplit(request.path)
        self.raw_path = parts.path
        self.path = unquote(parts.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.body: Any = request.json if request.body else None
        self.line = line

    async def reply(self, value: Any, status: int = 200, kind: str = JSON) -> None:
        """All at once; `value` is text as it is, or anything else as JSON."""
        content = value if isinstance(value, str) else json.dumps(value)
        await self.line.reply(status, content.encode(), kind)

    async def begin(self) -> None:
        """Begin a stream of events."""
        await self.line.begin(kind="text/event-stream")

    async def event(self, value: Any) -> None:
        """A server-sent event, torn in its middle as a network may do, unless it is to stay whole."""
        data = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        content = f"data: {data}\n\n".encode()
        middle = 0 if self._whole else len(content) // 2
        if middle:
            await self.line.chunk(content[:middle])
        await self.line.chunk(content[middle:])


Handler = Callable[[Exchange], Awaitable[None]]


class HttpStandIn:
    """Serves until it is closed.

    Attributes:
        url: Where.
        seen: What it was asked, in order.
        writing: Exchanges that are being answered.
        whole: Whether events are sent whole.
    """

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self.seen: list[Exchange] = []
        self.writing: set[Exchange] = set()
        self.whole = False
        self._handler = handler
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(listen(self._serve, "127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _run(self, act: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, line = asyncio.current_task(), Line(reader, writer)
        assert task is not None
        self._connections.add(task)
        try:
            while request := await line.read():
                await self._answer(Exchange(request, line, whole=self.whole))
        except (ClientGoneError, ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, exchange: Exchange) -> None:
        self.seen.append(exchange)
        self.writing.add(exchange)
        try:
            await self._handler(exchange)
        finally:
            self.writing.discard(exchange)

    def asked(self, path: str) -> list[Exchange]:
        """What it was asked under `path`."""
        return [exchange for exchange in self.seen if exchange.path == path]

    def break_off(self) -> None:
        """Reset all connections, as when the process dies."""
        self._loop.call_soon_threadsafe(lambda: [exchange.line.reset() for exchange in self.writing])

    def close(self) -> None:
        async def stop() -> None:
            self._server.close()
            tasks = set(self._connections)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
