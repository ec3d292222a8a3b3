"""What vLLM and SGLang have in common, which serve one model to many and tell Prometheus how that goes.

Both stop writing when a connection is closed. How many answers they write is told by their metrics alone, and
those of others are among them, so nobody is told by that number whether ours has stopped.
"""

from __future__ import annotations

from typing import ClassVar

from tui_chat.backends.openai.dialect import Dialect
from tui_chat.backends.openai.metrics import Meter, MetricNames
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Sampling
from tui_chat.wire.servers import Activity

STAYS = "Its model is loaded for as long as it runs."


class Metered(Dialect):
    """One that counts along with every chunk, and calls its metrics by the names in `metrics`."""

    names: ClassVar[dict[str, str]] = {
        "top_k": "top_k",
        "min_p": "min_p",
        "repeat_penalty": "repetition_penalty",
    }
    extras: ClassVar[Body] = {"stream_options": {"include_usage": True, "continuous_usage_stats": True}}
    continuing: ClassVar[Body | None] = {"continue_final_message": True, "add_generation_prompt": False}
    metrics: ClassVar[MetricNames]

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._meter = Meter(self.metrics)

    def drawn(self, sampling: Sampling) -> Body:
        """How tokens are drawn: with -1 for a `top_k` that is off, as some releases refuse 0."""
        body = super().drawn(sampling)
        return body | {"top_k": body["top_k"] or -1}

    async def activity(self) -> Activity | None:
        """What it does now; None where it does not tell. Raises `ServerError`."""
        told = await self.text("/metrics")
        return None if told is None else self._meter.read(told)
