"""A server that breaks in every way a line can, by a script drawn at random from a seed.

Each scripted answer knows what a client must have shown by the time it broke: not a letter less, not a
letter more, and complete only if the server had said so.
"""

from __future__ import annotations

import asyncio
import enum
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.servers.http_stand_in import Exchange, HttpStandIn
from tests.worker.support import GREEDY, hear
from tui_chat.backends.openai.server import OpenAIServer
from tui_chat.backends.servers.link import Link
from tui_chat.backends.servers.model import ServedModel
from tui_chat.chat.model import FinishReason
from tui_chat.config.servers import ServerSettings
from tui_chat.wire.servers import ServedModel as Listed
from tui_chat.wire.servers import ServerKind

STALL_S = 2.0
"""How long the client waits for more; a stall lasts until it has gone."""
WORDS = ("Hello", " wörld", " 🦙", " 日本", "\n", " 👩‍👩‍👧", " data:", " {", ' "}', " [DONE]", "…")
KINDS = tuple(kind for kind in ServerKind if kind not in (ServerKind.OLLAMA, ServerKind.PYTORCH))


class Fault(enum.StrEnum):
    """What goes wrong."""

    NONE = "none"
    RESET = "reset"
    END = "end"
    STALL = "stall"
    GARBAGE = "garbage"
    HALF_FRAME = "half frame"
    ERROR = "error"
    NO_REPLY = "no reply"
    STATUS = "status"
    HTML = "html"
    BAD_CHUNKS = "bad chunks"
    LATE_RESET = "reset after the end"
    LATE_STALL = "stall after the end"


COMPLETE = (Fault.NONE, Fault.LATE_RESET, Fault.LATE_STALL)
SILENT = (Fault.NO_REPLY, Fault.STATUS, Fault.HTML)
_GARBAGE = (
    b"data: {]\n\n",
    b"data: \xff\xfe\xfd\n\n",
    b"data: 42\n\n",
    b'data: {"choices": 7}\n\n',
    b"data: <p>\n\n",
)


@dataclass(frozen=True)
class Script:
    """One answer: what is said, how it breaks, and how its bytes are torn on the way."""

    said: tuple[str, ...]
    fault: Fault
    seed: int
    line_end: str = "\n"

    @property
    def text(self) -> str:
        """What has to have been shown."""
        return "" if self.fault in SILENT else "".join(self.said)

    @property
    def finishes(self) -> tuple[FinishReason, ...]:
        """How it may be said to have ended."""
        if self.fault in COMPLETE:
            return (FinishReason.STOP,)
        if self.fault is Fault.STALL:
            return (FinishReason.TIMEOUT,)
        if self.fault in (Fault.RESET, Fault.END, Fault.HALF_FRAME, Fault.NO_REPLY, Fault.BAD_CHUNKS):
            return (FinishReason.INTERRUPTED,)
        return (FinishReason.BACKEND_ERROR,)


def scripts(count: int, seed: int) -> list[Script]:
    """So many, always the same for the same `seed`; each fault comes about as often."""
    draw = random.Random(seed)
    faults = list(Fault)
    return [
        Script(
            said=tuple(draw.choices(WORDS, k=draw.randint(0, 12))),
            fault=faults[number % len(faults)],
            seed=draw.randrange(1 << 30),
            line_end=draw.choice(("\n", "\n", "\r\n", "\r")),
        )
        for number in range(count)
    ]


class FaultyServer:
    """Plays the script whose number the question is."""

    def __init__(self, played: list[Script]) -> None:
        self._played = played
        self.http = HttpStandIn(self._handle)

    async def _handle(self, exchange: Exchange) -> None:
        script = self._played[int(exchange.body["messages"][-1]["content"])]
        draw = random.Random(script.seed)
        if script.fault is Fault.NO_REPLY:
            exchange.line.reset()
        elif script.fault is Fault.STATUS:
            await exchange.reply({"error": {"message": "Out of luck"}}, draw.choice((400, 500, 502)))
        elif script.fault is Fault.HTML:
            await exchange.reply("<html>\n<p>Hello\n</html>\n", kind="text/html")
        else:
            await self._stream(exchange, script, draw)

    async def _stream(self, exchange: Exchange, script: Script, draw: random.Random) -> None:
        await exchange.begin()
        await _torn(exchange, b"".join(_frame(word, script) for word in script.said), draw)
        match script.fault:
            case Fault.STALL:
                await exchange.line.wait_until_gone()
            case Fault.GARBAGE:
                await exchange.line.chunk(draw.choice(_GARBAGE))
                await exchange.line.end()
            case Fault.ERROR:
                await exchange.event({"error": {"message": "The GPU fell out", "code": 500}})
                await exchange.line.end()
            case Fault.HALF_FRAME:
                frame = _frame(" lost", script)
                await exchange.line.chunk(frame[: draw.randint(1, frame.index(b"}"))])
                await exchange.line.end()
            case Fault.END:
                await exchange.line.end()
            case Fault.BAD_CHUNKS:
                await exchange.line.write(b"zz\r\n")
                await exchange.line.wait_until_gone()
            case Fault.RESET:
                await _sent(exchange)
            case _:
                await self._complete(exchange, script, draw)

    async def _complete(self, exchange: Exchange, script: Script, draw: random.Random) -> None:
        await _torn(exchange, _line({"choices": [{"delta": {}, "finish_reason": "stop"}]}, script), draw)
        if script.fault is Fault.LATE_STALL:
            await exchange.line.wait_until_gone()
        elif script.fault is Fault.LATE_RESET:
            await _sent(exchange)
        else:
            await _torn(exchange, f"data: [DONE]{script.line_end * 2}".encode(), draw)
            await exchange.line.end()


def _frame(word: str, script: Script) -> bytes:
    return _line({"choices": [{"delta": {"content": word}, "finish_reason": None}]}, script)


def _line(chunk: dict, script: Script) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}{script.line_end * 2}".encode()


async def _torn(exchange: Exchange, content: bytes, draw: random.Random) -> None:
    """Send `content` in pieces that end anywhere."""
    while content:
        size = draw.choice((1, 2, 3, 7, 40, 200))
        await exchange.line.chunk(content[:size])
        content = content[size:]
        if draw.random() < 0.1:
            await asyncio.sleep(0)


async def _sent(exchange: Exchange) -> None:
    """Reset the connection, but not before the other side has what was sent: a reset takes that along."""
    await asyncio.sleep(0.02)
    exchange.line.reset()


@dataclass
class Outcome:
    """What became of all scripts; each list names those that went wrong."""

    lost: list[Script]
    hung: list[Script]
    wrong: list[Script]


async def play(played: list[Script], at_once: int = 16, patience_s: float = 20.0) -> Outcome:
    """Have a client hear all of `played`, several at once, and compare."""
    server = FaultyServer(played)
    outcome, numbers = Outcome([], [], []), iter(range(len(played)))
    try:
        await asyncio.gather(
            *(_listener(server, played, numbers, outcome, patience_s) for _ in range(at_once))
        )
    finally:
        server.http.close()
    return outcome


async def _listener(
    server: FaultyServer, played: list[Script], numbers: Iterator[int], outcome: Outcome, patience_s: float
) -> None:
    for number in numbers:
        script = played[number]
        async with _model(server.http.url, KINDS[number % len(KINDS)]) as model:
            try:
                async with asyncio.timeout(patience_s):
                    heard = await hear(model, str(number), GREEDY)
            except TimeoutError:
                outcome.hung.append(script)
                continue
        if heard.text != script.text:
            outcome.lost.append(script)
        if heard.settled.finish not in script.finishes:
            outcome.wrong.append(script)


@asynccontextmanager
async def _model(url: str, kind: ServerKind) -> AsyncIterator[ServedModel]:
    """A model of its own, as breakers remember: what happened to one client is not the next one's."""
    settings = ServerSettings(url=url, stall_s=STALL_S, first_token_s=STALL_S * 5)
    server = OpenAIServer(Link("faulty", settings), kind)
    yield server.attach(Listed(name="tiny"))
    await server.close()
