"""llama-server: llama.cpp's own, with one model, or as a router with many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tui_chat.backends.openai.dialect import Dialect, Seen, entries, number, until, words
from tui_chat.backends.openai.kinds.llama_cpp import CONTINUING, EXTRAS, NAMES, THINKING, LlamaCpp
from tui_chat.backends.openai.kinds.router import load, status_of, unload
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.failures import ServerError
from tui_chat.backends.servers.link import Link
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import Activity, Capability, ServedModel, ServerKind, ServerState

T = TypeVar("T", int, float)
_ENDING = ".gguf"


class LlamaServer(Dialect):
    """With one model it loads that when it starts; as a router it loads and unloads what it is asked to."""

    kind = ServerKind.LLAMA_SERVER
    names = NAMES
    extras = EXTRAS
    continuing = CONTINUING
    thinking_field = THINKING
    tells_vision = True

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._router = False
        self._natives: dict[str, LlamaCpp] = {}

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        if not await self._healthy():
            return Seen(models=(), state=ServerState.LOADING)
        props = await self.maybe("/props")
        self._router = words(props, "role") == "router"
        if self._router:
            models = tuple(self.model(entry) for entry in entries(await self.get("/models"), "data"))
            loaded = [each.name for each in models if each.loaded]
        else:
            models = tuple(_with_props(each, props, here=self.link.here) for each in await self.listed())
            loaded = [each.name for each in models[:1]]
        told = await asyncio.gather(*(self.native(name).activity() for name in loaded))
        return Seen(
            models=models,
            version=words(props, "build_info"),
            router=self._router,
            activity=reduce(_together, (activity for activity, _ in told)) if told else None,
            notes=tuple(dict.fromkeys(note for _, notes in told for note in notes)),
        )

    async def _healthy(self) -> bool:
        """Whether it has loaded what it is to load. Raises `ServerError`."""
        try:
            await self.link.ask("GET", "/health")
        except ServerError as error:
            if error.status == 503:
                return False
            if error.status != 404:
                raise
        return True

    def model(self, entry: Body) -> ServedModel:
        """One entry of its list."""
        modalities = entry.get("architecture")
        sees = isinstance(modalities, dict) and "image" in (modalities.get("input_modalities") or ())
        status = status_of(entry)
        return ServedModel(
            name=words(entry, "id") if status else _without_path(words(entry, "id")),
            trained_context=number(entry, "meta", "n_ctx_train"),
            context=number(entry, "meta", "n_ctx"),
            loaded=status.loaded if status else True,
            size_bytes=number(entry, "meta", "size"),
            parameters=number(entry, "meta", "n_params"),
            quant=words(entry, "meta", "ftype"),
            capabilities=(Capability.CHAT, Capability.VISION) if sees else (Capability.CHAT,),
            blob=_file(status.file, here=self.link.here) if status else None,
        )

    def native(self, model: str) -> LlamaCpp:
        """What llama.cpp can do with `model`."""
        return self._natives.setdefault(model, LlamaCpp(self, model))

    async def load(
        self, model: str, options: LoadOptions | None, on_progress: Callable[[float], None]
    ) -> None:
        """Wait until its one model is there, or have the router load `model`. Raises `ServerError`."""
        await until(self._healthy)
        self._router = words(await self.maybe("/props"), "role") == "router"
        if self._router:
            await load(self, model, on_progress)

    async def unload(self, model: str) -> None:
        """Have the router unload `model`. Raises `ServerError`."""
        if not self._router:
            await super().unload(model)
        await unload(self, model)

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens. Raises `ServerError`."""
        return await self.native(model).tokenize(text)

    async def count(self, model: str, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation. Raises `ServerError`."""
        return await self.native(model).count(turns)

    async def running(self, model: str) -> int | None:
        """How many answers it writes now. Raises `ServerError`."""
        return await self.native(model).running()


def _with_props(model: ServedModel, props: Any, *, here: bool) -> ServedModel:
    """`model` with what ``/props`` tells of the only one that is loaded."""
    template = words(props, "chat_template")
    more = []
    if any(sign in template for sign in ("<think>", "enable_thinking", "reasoning_content")):
        more.append(Capability.THINKING)
    caps = props.get("chat_template_caps") if isinstance(props, dict) else None
    if isinstance(caps, dict) and caps.get("supports_tools"):
        more.append(Capability.TOOLS)
    asleep = isinstance(props, dict) and props.get("is_sleeping") is True
    return msgspec.structs.replace(
        model,
        context=model.context or number(props, "default_generation_settings", "n_ctx"),
        loaded=not asleep,
        capabilities=(*model.capabilities, *more),
        blob=_file(words(props, "model_path"), here=here),
    )


def _file(path: str, *, here: bool) -> str | None:
    """A path that a server names, if it is a file on this machine."""
    return path if here and Path(path).is_absolute() and Path(path).is_file() else None


def _together(one: Activity, other: Activity) -> Activity:
    """What two models of one server do."""
    return Activity(
        running=_sum(one.running, other.running),
        waiting=_sum(one.waiting, other.waiting),
        kv_used=max((each.kv_used for each in (one, other) if each.kv_used is not None), default=None),
        read_tps=_sum(one.read_tps, other.read_tps),
        written_tps=_sum(one.written_tps, other.written_tps),
    )


def _sum(one: T | None, other: T | None) -> T | None:
    return other if one is None else one if other is None else one + other


def _without_path(name: str) -> str:
    """What a model is called that was given no name: its one server takes any, and calls it by its file."""
    return Path(name).name.removesuffix(_ENDING) if name.endswith(_ENDING) else name
