"""text-generation-webui, which has one model at a time loaded, by whichever of its loaders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from tui_chat.backends.openai.body import messages
from tui_chat.backends.openai.dialect import Dialect, Seen, a_few_at_once, number, words
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.spans import ends_in
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import ServedModel, ServerKind

_INTERNAL = "/v1/internal"
_NOTES = (
    "It cuts off what is too long for its context without saying so.",
    "It tells neither what it is doing nor how long its model's context is.",
)
_NONE = "None"
"""What it calls having no model."""


class TextGen(Dialect):
    """Its own verbs are beside OpenAI's, under ``/v1/internal``."""

    kind = ServerKind.TEXTGEN
    names: ClassVar[dict[str, str]] = {
        "top_k": "top_k",
        "min_p": "min_p",
        "repeat_penalty": "repetition_penalty",
        "penalty_last_n": "repetition_penalty_range",
    }

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        listed, info = await asyncio.gather(
            self.get(f"{_INTERNAL}/model/list"), self.get(f"{_INTERNAL}/model/info")
        )
        loaded = words(info, "model_name")
        told = listed.get("model_names") if isinstance(listed, dict) else None
        names = [each for each in told or () if isinstance(each, str) and each != _NONE]
        if loaded and loaded != _NONE and loaded not in names:
            names.insert(0, loaded)
        models = tuple(ServedModel(name=name, loaded=name == loaded) for name in names)
        return Seen(models=models, router=True, notes=_NOTES)

    async def load(
        self, model: str, options: LoadOptions | None, on_progress: Callable[[float], None]
    ) -> None:
        """Load `model` in the place of the one it has. Raises `ServerError`."""
        if any(each.name == model and each.loaded for each in (await self.look()).models):
            return
        within_s = self.link.settings.first_token_s
        path = f"{_INTERNAL}/model/load"
        await self.link.ask("POST", path, {"model_name": model}, model=model, within_s=within_s)

    async def unload(self, model: str) -> None:
        """Unload `model`, if that is what it has loaded. Raises `ServerError`."""
        if any(each.name == model and each.loaded for each in (await self.look()).models):
            await self.link.ask("POST", f"{_INTERNAL}/model/unload", {})
        await self.until_loaded(model, loaded=False)

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens. Raises `ServerError`."""
        return number(await self.post(f"{_INTERNAL}/token-count", {"text": text}), "length")

    async def count(self, model: str, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation as it would be written. Raises `ServerError`."""
        body: Body = {"messages": messages(turns, None)}
        prompt = words(await self.post(f"{_INTERNAL}/chat-prompt", body), "prompt")
        ends = ends_in(prompt, turns, {})
        parts = [prompt[start:end] for start, end in zip((0, *ends), ends, strict=False)]
        texts = ("", prompt, *parts)
        begin, total, *each = await a_few_at_once(*(self.tokenize(model, text) for text in texts))
        return CountReply(tuple(tokens - begin for tokens in each), total)
