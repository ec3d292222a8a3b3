"""Has a model condense what is dropped from its context, with progress, and gives up in an orderly way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing

from tui_chat.chat.compose import Line
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, Message, Problem, ProblemCode
from tui_chat.chat.summarising import lines_for, pieces, summary_sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.client.turns import turns_of
from tui_chat.wire.api import GenerateRequest
from tui_chat.wire.events import Channel, Delta, Settled


class SummaryError(Exception):
    """There is no summary.

    Attributes:
        problem: Why, for a person; None when somebody stopped it.
    """

    def __init__(self, problem: Problem | None) -> None:
        super().__init__(problem.what if problem else "stopped")
        self.problem = problem


class Condenser:
    """One summary on its way.

    Args:
        engine: The engine to ask.
        model: Who condenses.
        window: Tokens that it can read and write.
        limit: Tokens that the summary may have.
        on_progress: Told how many tokens have been written, and of how many pieces how many are done.
    """

    def __init__(
        self,
        engine: EngineClient,
        model: str,
        window: int,
        limit: int,
        on_progress: Callable[[int, int, int], None],
    ) -> None:
        self._engine = engine
        self._model = model
        self._window = window
        self._limit = limit
        self._tell = on_progress
        self._tokens = 0
        self._running: str | None = None
        self._stopped = False

    async def condense(self, messages: Sequence[Message], so_far: str) -> str:
        """Return a summary of `messages`, which follow what was condensed `so_far`.

        Raises:
            SummaryError: There is none.
            EngineError: The engine cannot be asked.
        """
        await ensure_engine(self._engine)
        parts = pieces(messages, self._window, self._limit)
        for done, piece in enumerate(parts):
            if self._stopped:
                raise SummaryError(None)
            self._tell(self._tokens, done, len(parts))
            so_far = await self._write(lines_for(piece, so_far, self._limit), done, len(parts))
        return so_far

    async def stop(self) -> None:
        """Give up. Raises `EngineError`."""
        self._stopped = True
        if self._running is not None:
            await self._engine.cancel(self._running)

    async def _write(self, lines: Sequence[Line], done: int, of: int) -> str:
        self._running = f"summary-{new_id()}"
        request = GenerateRequest(
            id=self._running,
            model=self._model,
            turns=turns_of(lines),
            sampling=summary_sampling(self._limit),
            only_while_heard=True,
        )
        await self._engine.generate(request)
        text = ""
        async with aclosing(self._engine.follow(self._running)) as events:
            async for numbered in events:
                event = numbered.event
                if isinstance(event, Delta):
                    self._tokens += event.tokens
                    self._tell(self._tokens, done, of)
                    text += event.text if event.channel is Channel.ANSWER else ""
                elif isinstance(event, Settled):
                    return _checked(text, event)
        raise AssertionError("an answer's stream ends with Settled, or raises")


def _checked(text: str, end: Settled) -> str:
    if end.finish is FinishReason.CANCELLED:
        raise SummaryError(None)
    if end.finish in (FinishReason.STOP, FinishReason.LENGTH) and text.strip():
        return text.strip()
    why = f" {end.problem.what}" if end.problem else ""
    raise SummaryError(
        Problem(
            ProblemCode.SUMMARY_FAILED,
            f"The model could not condense the earlier messages.{why}",
            kept="Your message is kept, and waits; nothing was dropped.",
            remedy="Try again, or choose another policy for the context.",
        )
    )
