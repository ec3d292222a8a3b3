"""What the engine may rely on in every backend, ours included: the same checks for all of them.

A check that a backend cannot be put to ends in `CannotError`, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import msgspec

from tests.worker.support import BRIEF, COUNT, ENDLESS, GREEDY, Heard, hear, user
from tui_chat.backends.protocol import BackendError, Begun, LoadedModel
from tui_chat.chat.model import FinishReason, ProblemCode, Role
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Event, Settled

ODD = "Say this: né 👩‍👩‍👧 日本 🦙"
COMPLETE = (FinishReason.STOP, FinishReason.LENGTH)


class CannotError(Exception):
    """A backend cannot do that, and says so."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model that is ready to answer.

    Attributes:
        kill: Kills what it runs in.
        has_given_back: Whether its memory was given back; None where that is not ours to decide.
        parallel: How many answers it writes at once.
    """

    model: LoadedModel
    kill: Callable[[], None]
    has_given_back: Callable[[], bool] | None = None
    parallel: int = 2


@dataclass(frozen=True)
class Backend:
    """One kind of backend, and how to have a model of it."""

    name: str
    open: Callable[[], AbstractAsyncContextManager[Opened]]


def on_piece(number: int, act: Callable[[], None]) -> Callable[[Event], None]:
    """Have `act` done once, at piece `number` of an answer."""
    left = [number]

    def on_event(event: Event) -> None:
        left[0] -= isinstance(event, Delta)
        if left[0] == 0:
            left[0] = -1
            act()

    return on_event


async def answers(opened: Opened) -> None:
    """An answer is text and then exactly one end."""
    heard = await hear(opened.model, "Say hello.", GREEDY)
    assert heard.text.strip()
    assert heard.settled.finish in COMPLETE
    assert heard.settled.problem is None
    assert heard.settled.fingerprint


async def stops_at_a_string(opened: Opened) -> None:
    """A stop string ends an answer and is not shown."""
    sampling = msgspec.structs.replace(GREEDY, max_tokens=60, stop=("4",))
    heard = await hear(opened.model, COUNT, sampling)
    assert heard.settled.finish is FinishReason.STOP
    assert "3" in heard.text
    assert "4" not in heard.text


async def stops_at_its_limit(opened: Opened) -> None:
    """An answer has as many tokens as it may have, and says that it was cut."""
    heard = await hear(opened.model, COUNT, BRIEF)
    assert heard.settled.finish is FinishReason.LENGTH
    assert heard.settled.usage.completion_tokens == BRIEF.max_tokens


async def cancels(opened: Opened) -> None:
    """What came is kept when an answer is cancelled, and the next one comes."""
    heard = await hear(opened.model, COUNT, ENDLESS, on_piece(5, lambda: opened.model.cancel("answer")))
    assert heard.settled.finish is FinishReason.CANCELLED
    assert heard.text
    assert heard.settled.usage.completion_tokens >= 5
    assert (await hear(opened.model, COUNT, BRIEF)).settled.finish is FinishReason.LENGTH


async def ignores_cancelling_what_is_over(opened: Opened) -> None:
    """Cancelling an answer that is over, or was never asked for, does nothing."""
    opened.model.cancel("answer")
    heard = await hear(opened.model, COUNT, BRIEF)
    opened.model.cancel("answer")
    again = await hear(opened.model, COUNT, BRIEF)
    assert heard.settled.finish is again.settled.finish is FinishReason.LENGTH


async def is_left_early(opened: Opened) -> None:
    """Whoever stops listening leaves nothing behind that keeps the next one waiting."""
    events = opened.model.generate("answer", user(COUNT), ENDLESS)
    async for event in events:
        if isinstance(event, Delta):
            break
    await events.aclose()  # type: ignore[attr-defined]
    assert (await hear(opened.model, COUNT, BRIEF)).settled.finish is FinishReason.LENGTH


async def keeps_text_when_killed(opened: Opened) -> None:
    """What came is kept when the process dies that writes it."""
    heard = await hear(opened.model, COUNT, ENDLESS, on_piece(5, opened.kill))
    assert heard.settled.finish in (FinishReason.INTERRUPTED, FinishReason.WORKER_DIED)
    assert heard.settled.problem is not None
    assert heard.settled.problem.kept
    assert len(heard.deltas) >= 5


async def reads_the_system(opened: Opened) -> None:
    """What the system says is read."""
    without = await hear(opened.model, "Hello.", BRIEF)
    turns = (
        Turn(Role.SYSTEM, "You are a pirate who says arr after each and every sentence, no matter what."),
    )
    told = await hear(opened.model, (*turns, *user("Hello.")), BRIEF)
    assert told.settled.finish in COMPLETE
    assert told.settled.usage.prompt_tokens != without.settled.usage.prompt_tokens


async def keeps_odd_characters_whole(opened: Opened) -> None:
    """No character is torn, however its bytes come."""
    heard = await hear(opened.model, ODD, msgspec.structs.replace(GREEDY, max_tokens=60))
    assert "\ufffd" not in heard.text
    assert heard.text.encode()


async def accounts(opened: Opened) -> None:
    """Tokens are counted as tokens, in the pieces and in the end."""
    heard = await hear(opened.model, COUNT, GREEDY)
    usage = heard.settled.usage
    pieces = sum(delta.tokens for delta in heard.deltas)
    assert usage.prompt_tokens > 5
    assert 0 <= usage.completion_tokens - pieces <= 1  # the token that ends an answer has no text
    assert not usage.estimated
    assert all(prefill.total == usage.prompt_tokens for prefill in heard.prefills)
    assert heard.settled.timings.decode_tps


async def goes_on(opened: Opened) -> None:
    """An answer that had begun goes on in the middle, and only what is new comes."""
    heard = await hear(opened.model, COUNT, BRIEF, begun=Begun("1, 2, 3, 4,"))
    _unless_refused(heard)
    assert heard.text.strip().startswith("5")
    assert heard.settled.usage.completion_tokens == BRIEF.max_tokens


async def counts(opened: Opened) -> None:
    """Counted tokens are those that are then read."""
    turns = (*user("One?"), Turn(Role.ASSISTANT, "Two."), *user("Three and four?"))
    try:
        assert 1 <= await opened.model.tokenize("Hello there") <= 4
        count = await opened.model.count(turns)
    except BackendError as error:
        raise _cannot(error) from error
    heard = await hear(opened.model, turns, BRIEF)
    assert count.total == heard.settled.usage.prompt_tokens
    assert len(count.turns) == len(turns)
    assert 0 < sum(count.turns) <= count.total


async def refuses_what_is_too_long(opened: Opened) -> None:
    """A conversation that does not fit is refused, or cut with a word about it; the next one is answered."""
    heard = await hear(opened.model, " ".join(f"item {number}" for number in range(3000)), BRIEF)
    settled = heard.settled
    assert settled.finish is FinishReason.CONTEXT_OVERFLOW or settled.problem
    assert (await hear(opened.model, COUNT, BRIEF)).settled.finish is FinishReason.LENGTH


async def writes_two_at_once(opened: Opened) -> None:
    """Two answers at once do not get mixed up."""
    if opened.parallel < 2:
        raise CannotError("it writes one answer at a time")

    async def one(id: str, text: str) -> tuple[str, list[Settled]]:
        events = [event async for event in opened.model.generate(id, user(text), GREEDY)]
        said = "".join(event.text for event in events if isinstance(event, Delta))
        return said, [event for event in events if isinstance(event, Settled)]

    (first, ends), (second, others) = await asyncio.gather(one("a", COUNT), one("b", "Say hello."))
    assert len(ends) == len(others) == 1
    assert ends[0].finish in COMPLETE
    assert others[0].finish in COMPLETE
    assert first.startswith("1")
    assert not second.startswith("1")


async def gives_back(opened: Opened) -> None:
    """A model that is closed has given its memory back."""
    await hear(opened.model, COUNT, BRIEF)
    await opened.model.close()
    if opened.has_given_back is None:
        raise CannotError("its model stays loaded for as long as it runs, or as it likes")
    assert opened.has_given_back()


Check = Callable[[Opened], Awaitable[None]]
CHECKS: tuple[Check, ...] = (
    answers,
    stops_at_a_string,
    stops_at_its_limit,
    cancels,
    ignores_cancelling_what_is_over,
    is_left_early,
    keeps_text_when_killed,
    reads_the_system,
    keeps_odd_characters_whole,
    accounts,
    goes_on,
    counts,
    refuses_what_is_too_long,
    writes_two_at_once,
    gives_back,
)


def _unless_refused(heard: Heard) -> None:
    problem = heard.settled.problem
    if problem is not None and problem.code is ProblemCode.NOT_POSSIBLE:
        raise CannotError(problem.what)


def _cannot(error: BackendError) -> Exception:
    return CannotError(error.problem.what) if error.problem.code is ProblemCode.NOT_POSSIBLE else error
