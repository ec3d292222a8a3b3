"""What llama.cpp's server can do beside chatting, under whichever address one of its models has."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlencode

from tui_chat.backends.openai.body import messages
from tui_chat.backends.openai.counting import by_pieces
from tui_chat.backends.openai.dialect import Dialect, merged, number, words
from tui_chat.backends.openai.metrics import Meter, MetricNames, Rate
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.failures import ServerError, garbled
from tui_chat.backends.spans import ends_in
from tui_chat.chat.model import Role
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.servers import Activity

NAMES = {
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "penalty_last_n": "repeat_last_n",
}
EXTRAS: Body = {
    "stream_options": {"include_usage": True},
    "timings_per_token": True,
    "return_progress": True,
    "cache_prompt": True,
}
CONTINUING: Body = {"chat_template_kwargs": {"enable_thinking": False}}
"""It goes on with a last message of the assistant by itself, but not while it may have to think first."""
THINKING = "reasoning_content"

_METRICS = MetricNames(
    running=("llamacpp:requests_processing",),
    waiting=("llamacpp:requests_deferred",),
    read=("llamacpp:prompt_tokens_total",),
    read_s=("llamacpp:prompt_seconds_total",),
    written=("llamacpp:tokens_predicted_total",),
    written_s=("llamacpp:tokens_predicted_seconds_total",),
    kv_used=("llamacpp:kv_cache_usage_ratio",),
)
"""The speeds follow from totals: its own averages begin anew with whoever reads them."""
_UNMEASURED = "It was started without --metrics and does not tell how fast it reads."
_UNSEEN = "It was started with --no-slots: whether it has stopped writing cannot be seen."


class LlamaCpp:
    """One model of a llama.cpp server."""

    def __init__(self, dialect: Dialect, model: str, at: str = "") -> None:
        """Ask nothing yet; `at` is what the paths of that model's server begin with."""
        self._dialect = dialect
        self._model = model
        self._at = at
        self._meter = Meter(_METRICS)
        self._slots = Slots()

    async def tokenize(self, text: str) -> int:
        """Count the tokens of `text`. Raises `ServerError`."""
        return len(await self._pieces(text, special=False))

    async def count(self, turns: tuple[Turn, ...]) -> CountReply:
        """Count the tokens of `turns` as its template writes them. Raises `ServerError`."""
        text, after = await asyncio.gather(self._rendered(turns), self._after(turns))
        pieces = await self._pieces(text, special=True)
        return by_pieces(text, pieces, ends_in(text, turns, after))

    async def _after(self, turns: tuple[Turn, ...]) -> dict[Role, str]:
        """What the template writes after a turn, by who speaks."""
        firsts: dict[Role, int] = {}
        for length, turn in enumerate(turns, 1):
            firsts.setdefault(turn.role, length)
        found = await asyncio.gather(*(self._after_last(turns[:length]) for length in firsts.values()))
        return dict(zip(firsts, found, strict=True))

    async def _after_last(self, turns: tuple[Turn, ...]) -> str:
        """What the template writes after the last of `turns`; nothing where it takes no such end."""
        said = turns[-1].text.strip()
        try:
            text = await self._rendered(turns, asks=False)
        except ServerError as error:
            if error.status == 0:
                raise
            return ""
        return text.rpartition(said)[2] if said and said in text else ""

    async def _rendered(self, turns: tuple[Turn, ...], *, asks: bool = True) -> str:
        body: Body = {"model": self._model, "messages": messages(turns, THINKING)}
        if not asks:
            body["add_generation_prompt"] = False
        return words(await self._dialect.post(f"{self._at}/apply-template", body), "prompt")

    async def _pieces(self, text: str, *, special: bool) -> list[bytes]:
        body: Body = {"model": self._model, "content": text, "with_pieces": True}
        body |= {"add_special": special, "parse_special": special}
        tokens = (await self._dialect.post(f"{self._at}/tokenize", body)).get("tokens")
        try:
            return [_bytes(token["piece"]) for token in tokens or ()]
        except (TypeError, KeyError, ValueError) as error:
            raise garbled(self._dialect.link.name, f"its tokens are no tokens: {error}") from error

    async def slots(self) -> list[Body] | None:
        """Its slots; None if it does not show them. Raises `ServerError`."""
        told = await self._dialect.maybe(self._query("/slots"))
        return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else None

    async def running(self) -> int | None:
        """How many answers it writes; None if it does not show its slots. Raises `ServerError`."""
        slots = await self.slots()
        return None if slots is None else sum(bool(each.get("is_processing")) for each in slots)

    async def activity(self) -> tuple[Activity, tuple[str, ...]]:
        """What it does now, and what it does not tell of that. Raises `ServerError`."""
        metrics, slots = await asyncio.gather(self._dialect.text(self._query("/metrics")), self.slots())
        found = Activity() if metrics is None else self._meter.read(metrics)
        if slots is not None:
            found = merged(found, self._slots.read(slots, time.monotonic()))
        notes = (_UNMEASURED,) * (metrics is None) + (_UNSEEN,) * (slots is None)
        return found, notes

    def _query(self, path: str) -> str:
        return f"{self._at}{path}?{urlencode({'model': self._model})}"


class Slots:
    """How full the slots of a server are, and how fast they write from one look to the next."""

    def __init__(self) -> None:
        self._rates: dict[int, Rate] = {}

    def read(self, slots: list[Body], now_s: float) -> Activity:
        """What is told by `slots` at `now_s`."""
        busy = [each for each in slots if each.get("is_processing")]
        held = [number(each, "n_prompt_tokens") for each in slots if "n_prompt_tokens" in each]
        room = sum(number(each, "n_ctx") for each in slots)
        tasks = {number(each, "id_task"): _decoded(each) for each in busy}
        self._rates = {task: self._rates.get(task, Rate()) for task in tasks}
        rates = [self._rates[task].of(decoded, now_s) for task, decoded in tasks.items()]
        known = [rate for rate in rates if rate is not None]
        return Activity(
            running=len(busy),
            kv_used=min(1.0, sum(held) / room) if held and room else None,
            written_tps=sum(known) if known else None,
        )


def _decoded(slot: Body) -> int:
    told = slot.get("next_token")
    return number(told[0] if isinstance(told, list) and told else told, "n_decoded")


def _bytes(piece: str | list[int]) -> bytes:
    """A token's text, or its bytes where they are no text by themselves."""
    return piece.encode() if isinstance(piece, str) else bytes(piece)
