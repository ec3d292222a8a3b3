"""The real engine around a model that speaks at a set rate: `python -m tests.benchmarks.paced_engine 200`."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import tui_chat.engine.__main__ as engine_main
from tests.benchmarks.sessions import prose
from tui_chat.backends.protocol import Description, LoadPlan
from tui_chat.chat.model import FinishReason, Problem, Sampling, Usage
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Event, Prefill, Settled

FLUSH_S = 1 / 30
"""As the real worker does: text leaves at 30 Hz, however many tokens that is."""


class PacedModel:
    """Writes prose at `rate` tokens per second, to the microsecond on average, until cancelled."""

    death: Problem | None = None

    def __init__(self, rate: float, context: int) -> None:
        self._rate = rate
        self._stop = asyncio.Event()
        self.description = Description(
            architecture="paced", parameters=0, fingerprint="paced", context=context, trained_context=context,
            vocabulary=0, threads=0, load_ms=0.0, backend="paced",
        )  # fmt: skip

    async def generate(
        self, id: str, turns: tuple[Turn, ...], sampling: Sampling, **_: object
    ) -> AsyncIterator[Event]:
        """Yield "token" and then prose, forever."""
        self._stop.clear()
        yield Prefill(done=10, total=10, reused=0)
        words = ["token", *prose(random.Random(1), 60_000).split(" ")]
        started, said = time.monotonic(), 0
        while not self._stop.is_set() and said < len(words):
            due = int((time.monotonic() - started) * self._rate) + 1
            if due > said:
                yield Delta(" ".join(words[said:due]) + " ", due - said)
                said = due
            await asyncio.sleep(FLUSH_S)
        yield Settled(finish=FinishReason.CANCELLED, usage=Usage(completion_tokens=said))

    def cancel(self, id: str) -> None:
        """Stop at the next flush."""
        self._stop.set()

    async def tokenize(self, text: str) -> int:
        """Count words."""
        return len(text.split())

    def real_bytes(self) -> int:
        return 0

    async def close(self) -> None:
        """Nothing to give back."""


class PacedBackend:
    """Loads any model at once, as a `PacedModel`."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    async def load(
        self,
        plan: LoadPlan,
        on_progress: Callable[[float], None],
        make_room: Callable[[], Awaitable[None]],
    ) -> PacedModel:
        """Load."""
        await make_room()
        return PacedModel(self._rate, plan.options.context)


if __name__ == "__main__":
    rate = float(sys.argv.pop())
    engine_main.LlamaCppBackend = lambda _logs: PacedBackend(rate)  # type: ignore[assignment, misc]
    sys.exit(engine_main.main())
