"""Servers that answer in the shapes of vLLM, SGLang, LM Studio and others, without any model.

``python -m tests.servers.openai_stand_in --kind vllm --port 0`` prints its port and serves until its
standard input ends.

What they say is simple: asked to count they count, else they greet. A token is a word with the white
space before it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
from collections.abc import Iterator
from typing import Any

from tests.servers.http_stand_in import Exchange, HttpStandIn
from tui_chat.wire.servers import ServerKind

Json = dict[str, Any]
GREETING = "Héllo wörld 🦙 日本 and 👩‍👩‍👧 too."
MODEL, OTHER = "tiny", "org/other"
CONTEXT = 2000
TOKEN_S = 0.002
"""Between two tokens."""


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def rendered(messages: list[Json], *, asks: bool = True) -> str:
    """As a template would write it."""
    written = "".join(f"<{each['role']}> {_text(each)} <end>\n" for each in messages)
    return written + ("<assistant>" if asks else "")


def _text(message: Json) -> str:
    content = message["content"]
    return (
        content if isinstance(content, str) else " ".join(part.get("text", "<picture>") for part in content)
    )


class OpenAIStandIn:
    """What all of them do; a kind says what it does otherwise.

    Attributes:
        refused: Fields it answers with status 400, naming the first.
        thinks: What it thinks before it answers.
        tool: A tool it wants to call instead of answering.
        fails: An error it reports after three tokens.
    """

    kind = ServerKind.OPENAI
    known: frozenset[str] | None = None

    def __init__(self, port: int = 0) -> None:
        self.refused: set[str] = set()
        self.thinks = ""
        self.tool = ""
        self.fails = ""
        self.loading = 0
        self.loaded = {MODEL}
        self.http = HttpStandIn(self.handle, port)
        self.url = self.http.url

    def close(self) -> None:
        self.http.close()

    @property
    def chats(self) -> list[Json]:
        """The questions it was asked."""
        return [exchange.body for exchange in self.http.asked("/v1/chat/completions")]

    @property
    def running(self) -> int:
        return sum(exchange.path.endswith("/chat/completions") for exchange in self.http.writing)

    async def handle(self, exchange: Exchange) -> None:
        if exchange.path == "/v1/chat/completions":
            await self.chat(exchange)
        elif exchange.path == "/v1/models":
            await exchange.reply({"object": "list", "data": self.models()})
        elif not await self.more(exchange):
            await exchange.reply({"error": {"message": "Not Found", "type": "not_found_error"}}, 404)

    def models(self) -> list[Json]:
        return [{"id": MODEL, "object": "model", "created": 1, "owned_by": "me"}]

    async def more(self, exchange: Exchange) -> bool:
        """What a kind knows beside chatting; whether this was that."""
        return False

    # chatting

    async def chat(self, exchange: Exchange) -> None:
        body = exchange.body
        if refused := sorted(self.refused & body.keys()):
            await exchange.reply(self.refusal(refused[0]), 400)
            return
        prompt = len(tokens_of(rendered(body["messages"])))
        if prompt > CONTEXT:
            await exchange.reply(self.too_long(prompt), 400)
            return
        await exchange.begin()
        await self.first(exchange, body, prompt)
        await self.answer(exchange, body, prompt)
        await exchange.event("[DONE]")
        await exchange.line.end()

    async def answer(self, exchange: Exchange, body: Json, prompt: int) -> None:
        """All between the first chunk and the last."""
        done = 0
        for thought in tokens_of(self.thinks):
            done += 1
            await exchange.event(
                self.chunk({self.thinking_field: thought}, running=(prompt, done), body=body)
            )
        if self.tool:
            call = {
                "index": 0,
                "id": "1",
                "type": "function",
                "function": {"name": self.tool, "arguments": ""},
            }
            await exchange.event(self.chunk({"tool_calls": [call]}))
            await self.last(exchange, body, "tool_calls", prompt, 1)
            return
        finish = "length"
        stops = body.get("stop") or ()
        for token in self.said(body):
            if body.get("max_tokens") is not None and done >= body["max_tokens"]:
                break
            if any(stop in token for stop in stops):
                finish = "stop"
                break
            done += 1
            await exchange.event(self.chunk({"content": token}, running=(prompt, done), body=body))
            if self.fails and done >= 3:
                await exchange.event(self.failure())
                return
            await asyncio.sleep(TOKEN_S)
        else:
            finish = "stop"
        await self.last(exchange, body, finish, prompt, done)

    def said(self, body: Json) -> Iterator[str]:
        """What it would say, token by token."""
        messages = body["messages"]
        begun = ""
        if self.goes_on(body):
            begun, messages = messages[-1]["content"], messages[:-1]
        if "Count" in _text(messages[-1]):
            at = int((re.findall(r"\d+", begun) or ["0"])[-1])
            numbers = itertools.count(at + 1)
            yield from (f" {number}," if at or number > 1 else f"{number}," for number in numbers)
        elif begun:
            yield from tokens_of(GREETING.removeprefix(begun))
        else:
            yield from tokens_of(GREETING)

    def goes_on(self, body: Json) -> bool:
        """Whether it is asked to go on with the last message, in its own words."""
        return False

    thinking_field = "reasoning_content"

    async def first(self, exchange: Exchange, body: Json, prompt: int) -> None:
        """What it sends before it writes."""
        await exchange.event(self.chunk({"role": "assistant", "content": ""}))

    async def last(self, exchange: Exchange, body: Json, finish: str, prompt: int, done: int) -> None:
        """How it tells the end, and what it counted."""
        await exchange.event(self.chunk({}, finish))
        if (body.get("stream_options") or {}).get("include_usage"):
            await exchange.event(self.chunk(None, usage=self.usage(prompt, done)))

    def chunk(
        self,
        delta: Json | None,
        finish: str | None = None,
        *,
        usage: Json | None = None,
        running: tuple[int, int] | None = None,
        body: Json | None = None,
    ) -> Json:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        made: Json = {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "choices": choices}
        return made | ({"usage": usage} if usage else {})

    def usage(self, prompt: int, done: int) -> Json:
        return {"prompt_tokens": prompt, "completion_tokens": done, "total_tokens": prompt + done}

    def failure(self) -> Any:
        return {"error": {"message": self.fails, "type": "server_error", "code": 500}}

    def refusal(self, field: str) -> Json:
        return {"error": {"message": f"Unrecognized request argument supplied: {field}", "type": "invalid"}}

    def too_long(self, prompt: int) -> Json:
        message = (
            f"This model's maximum context length is {CONTEXT} tokens. However, you requested {prompt} tokens"
        )
        return {"error": {"message": message, "code": "context_length_exceeded"}}


def _main() -> None:
    from tests.servers.openai_kinds import KINDS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=[*KINDS], default="openai")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--whole", action="store_true", help="send events whole, as servers mostly do")
    wanted = parser.parse_args()
    server = KINDS[wanted.kind](wanted.port)
    server.http.whole = wanted.whole
    print(server.url.rpartition(":")[2], flush=True)
    sys.stdin.read()
    server.close()


if __name__ == "__main__":
    _main()
