"""vLLM, which loads one model when it starts and serves it to many."""

from __future__ import annotations

import asyncio

from tui_chat.backends.openai.body import messages
from tui_chat.backends.openai.counting import by_shares
from tui_chat.backends.openai.dialect import Seen, a_few_at_once, number, words
from tui_chat.backends.openai.kinds.metered import STAYS, Metered
from tui_chat.backends.openai.metrics import MetricNames
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.link import Link
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.servers import ServedModel, ServerKind

_REMEMBERED = 2000
"""Texts whose lengths are kept."""
_NOTES = (STAYS, "It does not tell whether its model can see pictures.")
_METRICS = MetricNames(
    running=("vllm:num_requests_running",),
    waiting=("vllm:num_requests_waiting",),
    kv_used=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    read=("vllm:prompt_tokens_total", "vllm:prompt_tokens"),
    written=("vllm:generation_tokens_total", "vllm:generation_tokens"),
)


class VLLM(Metered):
    """It counts whole conversations, too."""

    kind = ServerKind.VLLM
    metrics = _METRICS
    thinking_field = "reasoning"

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._lengths: dict[tuple[str, str], int] = {}

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        models, version, activity = await asyncio.gather(
            self.listed(), self.maybe("/version"), self.activity()
        )
        return Seen(
            models=models,
            version=words(version, "version"),
            activity=activity,
            notes=_NOTES,
        )

    def model(self, entry: Body) -> ServedModel:
        """One entry of its list."""
        return ServedModel(name=words(entry, "id"), context=number(entry, "max_model_len"), loaded=True)

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens. Raises `ServerError`."""
        return await self._counted({"model": model, "prompt": text, "add_special_tokens": False})

    async def count(self, model: str, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of a conversation: exactly all, and of each turn its own text and its share.

        Raises:
            ServerError: It cannot.
        """
        body: Body = {"model": model, "messages": messages(turns, self.thinking_field)}
        total, written, *said = await a_few_at_once(
            self._counted(body | {"add_generation_prompt": True}),
            self._counted(body | {"add_generation_prompt": False}),
            *(self._length(model, turn.text) for turn in turns),
        )
        return by_shares(said, written, total)

    async def _length(self, model: str, text: str) -> int:
        """Tokens of one text, asked once."""
        length = self._lengths.get((model, text), None if text else 0)
        if length is None:
            length = self._lengths[model, text] = await self.tokenize(model, text)
        while len(self._lengths) > _REMEMBERED:
            del self._lengths[next(iter(self._lengths))]
        return length

    async def _counted(self, body: Body) -> int:
        return number(await self.post("/tokenize", body), "count")
