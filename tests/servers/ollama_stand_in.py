"""An Ollama that stands in for the real one, which no package index has: strict, small, and broken to order.

By itself it does what Ollama does (`small_ollama`, `ollama_routes`, `ollama_talk`). What is told to `play` is
sent instead, letter by letter, to the next request for a path. All requests are recorded.

    python -m tests.servers.ollama_stand_in --port 0        # prints its address, and runs until it is stopped
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from tests.servers.ollama_routes import route_of
from tests.servers.raw_http import ClientGoneError, Line, RefusedError, Request, listen
from tests.servers.small_ollama import Model, World

_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Status:
    """Answer with this status and body, whole."""

    code: int
    body: bytes | str = b""
    kind: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Pause:
    """Say nothing for some seconds."""

    seconds: float


@dataclass(frozen=True)
class Reset:
    """Cut the connection as a crash does."""


@dataclass(frozen=True)
class Cut:
    """Close the connection without ending the answer."""


@dataclass(frozen=True)
class Hang:
    """Say nothing more until the client hangs up."""


Step = dict[str, Any] | bytes | Status | Pause | Reset | Cut | Hang
"""A dictionary is a line of JSON; bytes are sent as they are, as one chunk of the body."""


class OllamaStandIn:
    """One server; `url` is where it is once it has been entered."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.seen: list[Request] = []
        self.url = ""
        self._plays: dict[str, deque[tuple[Step, ...]]] = defaultdict(deque)
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    def play(self, path: str, *steps: Step) -> None:
        """Send this to the next request for `path`, after what was told before."""
        self._plays[path].append(steps)

    def asked(self, path: str) -> list[Any]:
        """The JSON bodies of all requests for `path`, in order."""
        return [request.json for request in self.seen if request.path == path]

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen; port 0 is any that is free."""
        self._server = await listen(self._serve, host, port)
        self.url = f"http://{host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening, and hang up on everybody."""
        assert self._server is not None
        self._server.close()
        for task in self._lines:
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        line = Line(reader, writer)
        try:
            while await self._answer(line):
                pass
        except (ClientGoneError, ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            line.reset()
        finally:
            self._lines.discard(task)
            writer.close()

    async def _answer(self, line: Line) -> bool:
        """Answer one request; whether the connection can go on."""
        try:
            request = await line.read()
            if request is None:
                return False
            self.seen.append(request)
            if plays := self._plays[request.path]:
                return await _play(line, plays.popleft())
            if request.headers["host"].rpartition(":")[0] not in _OWN_NAMES:
                raise RefusedError(403, "")
            await route_of(request)(self.world, line, request)
        except RefusedError as error:
            if line.begun:  # it is too late for a status
                await line.chunk(error.body.encode() + b"\n")
                await line.end()
            else:
                await line.reply(error.status, error.body.encode(), error.kind)
        return True


async def _play(line: Line, steps: tuple[Step, ...]) -> bool:
    for step in steps:
        match step:
            case Status():
                body = step.body.encode() if isinstance(step.body, str) else step.body
                await line.reply(step.code, body, step.kind, **dict(step.headers))
                return True
            case Pause():
                await asyncio.sleep(step.seconds)
                continue
            case Reset():
                line.reset()
                return False
            case Cut():
                return False
            case Hang():
                await line.wait_until_gone()
                return False
        if not line.begun:
            await line.begin()
        await line.chunk(step if isinstance(step, bytes) else json.dumps(step).encode() + b"\n")
    if not line.begun:
        await line.begin()
    await line.end()
    return True


@contextlib.asynccontextmanager
async def ollama_stand_in(*models: Model, **world: Any) -> AsyncIterator[OllamaStandIn]:
    """One in this event loop, with these models."""
    server = OllamaStandIn(World.of(*models, **world))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@contextlib.contextmanager
def ollama_in_thread(*models: Model, port: int = 0, **world: Any) -> Iterator[OllamaStandIn]:
    """One in a thread of its own, for tests that talk to it from other processes, or block."""
    server = OllamaStandIn(World.of(*models, **world))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(port), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _run(port: int, release: str) -> None:
    server = OllamaStandIn(
        World.of(Model("tiny:1b"), Model("wise:1b", thinking="Let me see."), version=release)
    )
    await server.start(port)
    print(server.url, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Run one with two models until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--version", default="0.33.0")
    told = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(told.port, told.version))


if __name__ == "__main__":
    main()
