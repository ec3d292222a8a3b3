"""SGLang, which loads one model when it starts."""

from __future__ import annotations

import asyncio

from tui_chat.backends.openai.dialect import Seen, number, words
from tui_chat.backends.openai.kinds.metered import STAYS, Metered
from tui_chat.backends.openai.metrics import MetricNames
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.failures import ServerError, cannot
from tui_chat.backends.servers.link import Link
from tui_chat.wire.servers import Capability, ServedModel, ServerKind, ServerState

_METRICS = MetricNames(
    running=("sglang:num_running_reqs",),
    waiting=("sglang:num_queue_reqs",),
    kv_used=("sglang:token_usage",),
    read=("sglang:prompt_tokens_total",),
    written=("sglang:generation_tokens_total",),
    written_tps=("sglang:gen_throughput",),
)
_UNMEASURED = "It was started without --enable-metrics and does not tell what it is doing."


class SGLang(Metered):
    """Much like vLLM, but for what it tells of itself, and that it counts texts and no conversations."""

    kind = ServerKind.SGLANG
    metrics = _METRICS
    thinking_field = "reasoning_content"
    tells_vision = True

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._sees = False

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        try:
            await self.link.ask("GET", "/health")
        except ServerError as error:
            if error.status == 503:
                return Seen(models=(), state=ServerState.LOADING)
            if error.status == 0:
                raise
        about = await self.maybe("/get_model_info")
        self._sees = isinstance(about, dict) and about.get("has_image_understanding") is True
        models, server, activity = await asyncio.gather(
            self.listed(), self.maybe("/get_server_info"), self.activity()
        )
        return Seen(
            models=models,
            version=words(server, "version"),
            activity=activity,
            notes=(STAYS,) if activity else (STAYS, _UNMEASURED),
        )

    def model(self, entry: Body) -> ServedModel:
        """One entry of its list."""
        return ServedModel(
            name=words(entry, "id"),
            context=number(entry, "max_model_len"),
            loaded=True,
            capabilities=(Capability.CHAT, Capability.VISION) if self._sees else (Capability.CHAT,),
        )

    async def tokenize(self, model: str, text: str) -> int:
        """Count tokens. Raises `ServerError`."""
        body: Body = {"model": model, "prompt": text, "add_special_tokens": False}
        try:
            return number(await self.post("/tokenize", body), "count")
        except ServerError as error:
            if error.status == 404:
                raise cannot(self.link.name, "count tokens: this release is too old for that") from error
            raise
