"""What differs from one kind of server to the next, and what is the same for all that say nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import msgspec

from tui_chat.backends.openai.body import drawn, messages
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.protocol import Begun
from tui_chat.backends.servers.dialogue import Asked
from tui_chat.backends.servers.failures import ServerError, cannot, garbled
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import ProblemCode, Role, Sampling
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import Activity, ServedModel, ServerKind, ServerState

T = TypeVar("T")

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"
LOOK_EVERY_S = 0.25
"""How often a server is asked how far it is with loading or unloading."""
_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one look at a server brought; see `ServerInfo`."""

    models: tuple[ServedModel, ...]
    state: ServerState = ServerState.UP
    version: str = ""
    router: bool = False
    activity: Activity | None = None
    notes: tuple[str, ...] = ()


class Dialect:
    """One kind of server, as it is spoken to over `link`.

    Attributes:
        names: What it calls those of our sampling fields that OpenAI does not know.
        extras: Fields sent beside, for numbers to come along.
        continuing: Fields that make it go on with the last message; None if it cannot.
        thinking_field: What it calls what was thought before an earlier answer.
        tells_vision: Whether its list of models says which can see.
    """

    kind: ClassVar[ServerKind] = ServerKind.OPENAI
    names: ClassVar[dict[str, str]] = {"top_k": "top_k", "min_p": "min_p"}
    extras: ClassVar[Body] = {"stream_options": {"include_usage": True}}
    continuing: ClassVar[Body | None] = None
    thinking_field: ClassVar[str | None] = None
    tells_vision: ClassVar[bool] = False

    def __init__(self, link: Link) -> None:
        self.link = link

    def body(self, model: str, asked: Asked) -> Body:
        """The question as it is sent.

        Raises:
            ServerError: It cannot be put to such a server.
        """
        written = messages(asked.turns, self.thinking_field)
        body: Body = {"model": model, "stream": True} | self.drawn(asked.sampling) | self.extras
        if asked.begun:
            body |= self.going_on(model, asked.begun)
            written.append({"role": Role.ASSISTANT.value, "content": asked.begun.text})
        return body | {"messages": written}

    def going_on(self, model: str, begun: Begun) -> Body:
        """What has `model` go on with the last message. Raises `ServerError` where it cannot."""
        if self.continuing is None:
            raise cannot(self.link.name, "go on with an answer that had begun")
        if not begun.text:
            raise cannot(self.link.name, "go on with a thought that had begun")
        return self.continuing

    def drawn(self, sampling: Sampling) -> Body:
        """How tokens are drawn, in its words."""
        return drawn(sampling, self.names)

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        return Seen(models=await self.listed())

    async def listed(self) -> tuple[ServedModel, ...]:
        """Its models, as ``/v1/models`` lists them. Raises `ServerError`."""
        return tuple(self.model(entry) for entry in entries(await self.get(MODELS), "data"))

    def model(self, entry: Body) -> ServedModel:
        """One entry of that list, with what servers of this kind tell."""
        context = next((entry[name] for name in _CONTEXTS if isinstance(entry.get(name), int)), 0)
        return ServedModel(name=str(entry.get("id", "")), context=context)

    async def load(
        self, model: str, options: LoadOptions | None, on_progress: Callable[[float], None]
    ) -> None:
        """Load `model`; no effect where that happens by itself. Raises `ServerError`."""

    async def unload(self, model: str) -> None:
        """Unload `model`, and wait until that is done. Raises `ServerError`."""
        raise cannot(self.link.name, "unload its models")

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens. Raises `ServerError`."""
        raise cannot(self.link.name, "count tokens")

    async def count(self, model: str, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation. Raises `ServerError`."""
        raise cannot(self.link.name, "count tokens")

    async def running(self, model: str) -> int | None:
        """How many answers it writes now; None where it does not tell. Raises `ServerError`."""
        return None

    async def get(self, path: str) -> Any:
        """What it tells under `path`. Raises `ServerError`."""
        return await self.link.ask_json("GET", path)

    async def maybe(self, path: str) -> Any:
        """As `get`, but None where it has no such path."""
        try:
            return await self.get(path)
        except ServerError as error:
            if error.status in (0, 401, 403) and error.problem.code is not ProblemCode.SERVER_GARBLED:
                raise
            return None

    async def text(self, path: str) -> str | None:
        """As `maybe`, for what is no JSON."""
        try:
            return (await self.link.ask("GET", path)).decode(errors="replace")
        except ServerError as error:
            if error.status == 0:
                raise
            return None

    async def post(self, path: str, body: Body, *, model: str = "", within_s: float | None = None) -> Body:
        """Have it do something, and return the object it replies.

        Raises:
            ServerError: It does not, or replies something else.
        """
        within = {} if within_s is None else {"within_s": within_s}
        reply = await self.link.ask_json("POST", path, body, model=model, **within)
        if not isinstance(reply, dict):
            raise garbled(self.link.name, f"{path} replied {type(reply).__name__}")
        return reply

    async def until_loaded(self, model: str, *, loaded: bool) -> None:
        """Wait until `model` is listed as loaded, or no longer is. Raises `ServerError`."""

        async def is_so() -> bool:
            models = (await self.look()).models
            return all(each.loaded is loaded for each in models if each.name == model)

        await until(is_so)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it is `true`."""
    while True:
        if await true():
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def a_few_at_once(*asked: Coroutine[Any, Any, T]) -> list[T]:
    """As `asyncio.gather`, but without a long conversation putting a thousand questions at once."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Coroutine[Any, Any, T]) -> T:
        async with free:
            return await each

    return await asyncio.gather(*map(one, asked))


def is_loading(error: ServerError) -> bool:
    """Whether the server has its model not ready yet, as llama-server says."""
    return error.status == 503 and "loading" in error.said.casefold()


_CONTEXTS = ("max_model_len", "context_length", "context_window", "max_context_length")


def entries(reply: Any, name: str) -> list[Body]:
    """The objects in a reply's list called `name`."""
    listed = reply.get(name) if isinstance(reply, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def number(reply: Any, *path: str) -> int:
    """The whole number at the end of `path` through nested objects; 0 if there is none."""
    for name in path:
        reply = reply.get(name) if isinstance(reply, dict) else None
    return reply if isinstance(reply, int) and not isinstance(reply, bool) else 0


def words(reply: Any, *path: str) -> str:
    """As `number`, for text; empty if there is none."""
    for name in path:
        reply = reply.get(name) if isinstance(reply, dict) else None
    return reply if isinstance(reply, str) else ""


def merged(activity: Activity, other: Activity) -> Activity:
    """`activity` with what `other` knows better."""
    known = {name: value for name, value in msgspec.structs.asdict(other).items() if value is not None}
    return msgspec.structs.replace(activity, **known)
