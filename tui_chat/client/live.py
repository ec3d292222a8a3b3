"""An answer on its way, as one terminal sees it, and how it is followed to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tui_chat.chat.model import Answer, FinishReason, Message
from tui_chat.client.changes import Change, Progressed, Raised, Streamed
from tui_chat.client.errors import EngineError, EngineGoneError
from tui_chat.client.launch import ensure_engine
from tui_chat.store.journal import JournalState, read_journal
from tui_chat.wire.api import GenerateRequest, JournalHeader
from tui_chat.wire.events import Channel, Delta, Event, Loading, Prefill, Queued, Settled, Waiting, Warned

if TYPE_CHECKING:
    from tui_chat.client.engine import EngineClient


class LiveAnswer(msgspec.Struct, frozen=True):
    """What is known of the answer in flight.

    Times are monotonic seconds; `phase` is what it waits for, `waited_since` when its server was asked.
    Text and thinking are all there is of it, also what it had before it went on; `tokens` are the new ones.
    """

    id: str
    started: float
    phase: Queued | Loading | Waiting | Prefill | None = None
    waited_since: float | None = None
    text: str = ""
    thinking: str = ""
    tokens: int = 0
    first_token: float | None = None
    thought_until: float | None = None

    @classmethod
    def starting(cls, id: str, text: str = "", thinking: str = "") -> LiveAnswer:
        """An answer of which nothing new has been heard yet."""
        return cls(id, time.monotonic(), text=text, thinking=thinking)

    @property
    def heard(self) -> bool:
        """Whether the engine has told anything of it."""
        return self.phase is not None or self.first_token is not None

    @property
    def thinking_s(self) -> float | None:
        """How long it has thought, or thought before it answered; None if it did not, or not lately."""
        if not self.thinking or self.first_token is None or self.first_token == self.thought_until:
            return None
        return (self.thought_until or time.monotonic()) - self.first_token

    def after(self, event: Event) -> LiveAnswer:
        """What is known once `event` has been heard too."""
        match event:
            case Waiting():
                return replace(self, phase=event, waited_since=self.waited_since or time.monotonic())
            case Queued() | Loading() | Prefill():
                return replace(self, phase=event)
            case Delta(text, tokens, channel):
                now = time.monotonic()
                thinks = channel is Channel.THINKING
                return replace(
                    self,
                    phase=None,
                    text=self.text if thinks else self.text + text,
                    thinking=self.thinking + text if thinks else self.thinking,
                    tokens=self.tokens + tokens,
                    first_token=self.first_token or now,
                    thought_until=self.thought_until or (None if thinks else now),
                )
            case _:
                return self


class Errand(msgspec.Struct, frozen=True):
    """One answer to be followed: whose, asked for with what (None: it runs already), journalled where."""

    answer: Message
    session: str
    request: GenerateRequest | None
    journal: Path | None

    def start(self) -> LiveAnswer:
        """The answer before anything is heard: one that goes on has said something already.

        The place that was made for it on disk says so too, whoever asked for it.
        """
        message, request = self.answer, self.request
        text, thinking = (request.prefix, request.thought) if request else (message.text, message.thinking)
        return LiveAnswer.starting(message.id, text, thinking)


async def follow_answer(
    engine: EngineClient,
    errand: Errand,
    hear: Callable[[Event], LiveAnswer],
    publish: Callable[[Change], None],
) -> JournalState:
    """Have an answer written and follow it to its end, whatever that is. Never raises for the engine.

    Args:
        engine: The engine to ask.
        errand: What to ask for, or to take up again.
        hear: Takes note of an event and returns what is known after it.
        publish: Tells the views.

    Returns:
        The whole answer; `settled` is None when the engine died with it, and then the text is the
        longer of what was heard and what the journal holds.
    """
    live = errand.start()
    try:
        if errand.request is not None:
            await ensure_engine(engine)
            await engine.generate(errand.request)
        async with aclosing(engine.follow(errand.answer.id)) as events:
            async for numbered in events:
                live = hear(numbered.event)
                if isinstance(numbered.event, Settled):
                    return _state(errand, live, numbered.event)
                for change in changes_of(errand.answer.id, numbered.event):
                    publish(change)
    except EngineGoneError:
        written = await asyncio.to_thread(_journalled, errand.journal)
        if written is not None and len(written.text) + len(written.thinking) >= len(live.text) + len(
            live.thinking
        ):
            return written
    except EngineError as error:
        return _state(errand, live, Settled(finish=FinishReason.BACKEND_ERROR, problem=error.problem))
    return _state(errand, live, None)


def changes_of(id: str, event: Event) -> tuple[Change, ...]:
    """What the views are told of one event."""
    match event:
        case Delta(text, tokens, channel):
            return (Streamed(id, text, channel, tokens),)
        case Queued() | Loading() | Waiting() | Prefill():
            return (Progressed(id, event),)
        case Warned(problem):
            return (Raised(problem),)
        case _:
            return ()


def _state(errand: Errand, live: LiveAnswer, settled: Settled | None) -> JournalState:
    message, start = errand.answer, errand.start()
    header = JournalHeader(
        id=message.id,
        session=errand.session,
        started=message.created,
        answer=message.answer or Answer(model=""),
        prefix=start.text,
        thought=start.thinking,
    )
    return JournalState(
        header=header, text=live.text, thinking=live.thinking, tokens=live.tokens, settled=settled
    )


def _journalled(path: Path | None) -> JournalState | None:
    if path is None:
        return None
    try:
        return read_journal(path)
    except (OSError, ValueError):
        return None
