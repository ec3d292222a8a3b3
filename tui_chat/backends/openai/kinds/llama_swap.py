"""llama-swap: a proxy that starts the right server for whichever model it is asked for."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from tui_chat.backends.openai.dialect import MODELS, Dialect, Seen, entries, number, words
from tui_chat.backends.openai.kinds.llama_cpp import CONTINUING, EXTRAS, NAMES, THINKING, LlamaCpp
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.protocol import Begun
from tui_chat.backends.servers.failures import cannot
from tui_chat.backends.servers.link import Link
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.servers import ServedModel, ServerKind


class LlamaSwap(Dialect):
    """It loads by itself, and what it starts may be any server; most often that is llama-server."""

    kind = ServerKind.LLAMA_SWAP
    names = NAMES
    extras = EXTRAS
    thinking_field = THINKING

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._natives: dict[str, LlamaCpp] = {}

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        listed, running, version = await asyncio.gather(
            self.get(MODELS), self.get("/running"), self.maybe("/api/version")
        )
        names = [words(each, "model") for each in entries(running, "running") if _ready(each)]
        props = await asyncio.gather(*(self.maybe(f"{_upstream(name)}/props") for name in names))
        self._learn(names, props)
        told = dict(zip(names, props, strict=True))
        models = tuple(_model(entry, told) for entry in entries(listed, "data"))
        known = next((native for name, native in self._natives.items() if name in told), None)
        activity, notes = await known.activity() if known else (None, ())
        return Seen(
            models=models, version=words(version, "version"), router=True, activity=activity, notes=notes
        )

    def _learn(self, names: list[str], props: list[Any]) -> None:
        """Remember behind which names there is a llama-server."""
        for name, each in zip(names, props, strict=True):
            if isinstance(each, dict) and "default_generation_settings" in each:
                self._natives.setdefault(name, LlamaCpp(self, name, _upstream(name)))

    def going_on(self, model: str, begun: Begun) -> Body:
        """As llama-server does, where that is known to be behind `model`. Raises `ServerError`."""
        if model not in self._natives or not begun.text:
            return super().going_on(model, begun)
        return CONTINUING

    async def unload(self, model: str) -> None:
        """Have it stop the server of `model`, and wait for that. Raises `ServerError`."""
        await self.link.ask("POST", f"/api/models/unload/{quote(model, safe='')}", model=model)
        await self.until_loaded(model, loaded=False)

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens. Raises `ServerError`."""
        return await (await self._native(model)).tokenize(text)

    async def count(self, model: str, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation. Raises `ServerError`."""
        return await (await self._native(model)).count(turns)

    async def running(self, model: str) -> int | None:
        """How many answers it writes now; None where it does not tell. Raises `ServerError`."""
        native = self._natives.get(model)
        return await native.running() if native else None

    async def _native(self, model: str) -> LlamaCpp:
        """What llama.cpp can do with `model`: nothing while it is not loaded, as asking would load it."""
        models = (await self.look()).models
        if model in self._natives and any(each.name == model and each.loaded for each in models):
            return self._natives[model]
        raise cannot(self.link.name, f"count tokens while {model} is not loaded by a llama-server")


def _ready(entry: Body) -> bool:
    return words(entry, "state") in ("", "ready")


def _upstream(model: str) -> str:
    return f"/upstream/{quote(model, safe='')}"


def _model(entry: Body, told: dict[str, Any]) -> ServedModel:
    """A model of the list; `told` are the properties of those that run, by name."""
    name = words(entry, "id")
    return ServedModel(
        name=name,
        loaded=name in told,
        context=number(told.get(name), "default_generation_settings", "n_ctx"),
        trained_context=number(entry, "meta", "n_ctx_train"),
    )
