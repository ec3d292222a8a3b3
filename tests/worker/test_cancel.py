"""Cancelling takes effect at any moment and leaves nothing behind for the next answer."""

from __future__ import annotations

import asyncio

from tests.worker.conftest import Loader
from tests.worker.support import COUNT, ENDLESS, hear, long_text
from tui_chat.chat.model import FinishReason
from tui_chat.wire.events import Delta, Event, Prefill


async def test_cancel_while_decoding_keeps_the_partial_answer(loaded: Loader) -> None:
    model = await loaded()
    reference = await hear(model, COUNT)

    def cancel(event: Event) -> None:
        if isinstance(event, Delta):
            model.cancel("answer")

    heard = await hear(model, COUNT, ENDLESS, cancel)
    assert heard.settled.finish is FinishReason.CANCELLED
    assert heard.settled.problem is None
    assert heard.text
    assert heard.settled.usage.completion_tokens == sum(delta.tokens for delta in heard.deltas)
    assert (await hear(model, COUNT)).text == reference.text


async def test_cancel_while_prefilling_leaves_a_cache_that_is_still_right(loaded: Loader) -> None:
    model = await loaded(ubatch=128)
    reference = await hear(model, COUNT)
    prompt = long_text(400)

    def cancel(event: Event) -> None:
        if isinstance(event, Prefill) and event.done >= 128:
            model.cancel("answer")

    heard = await hear(model, prompt, ENDLESS, cancel)
    assert heard.settled.finish is FinishReason.CANCELLED
    assert not heard.text
    assert heard.settled.usage.completion_tokens == 0
    resumed = await hear(model, prompt)
    assert 128 <= resumed.settled.usage.reused_tokens < resumed.settled.usage.prompt_tokens
    assert resumed.text
    assert (await hear(model, COUNT)).text == reference.text


async def test_a_cancel_that_comes_too_late_stops_nothing(loaded: Loader) -> None:
    model = await loaded()
    for _ in range(3):
        heard = await hear(model, COUNT)
        assert heard.settled.finish is FinishReason.LENGTH
        model.cancel("answer")
        model.cancel("somebody else's")


async def test_an_abandoned_answer_stops_and_the_next_is_its_own(loaded: Loader) -> None:
    model = await loaded()
    reference = await hear(model, COUNT)
    abandoned = model.generate("abandoned", (), ENDLESS)
    async for event in abandoned:
        if isinstance(event, Delta):
            break
    await abandoned.aclose()  # type: ignore[attr-defined]
    assert (await hear(model, COUNT)).text == reference.text


async def test_tokens_are_counted_while_an_answer_is_generated(loaded: Loader) -> None:
    model = await loaded()
    alone = await model.tokenize("How many tokens is this?")
    started = asyncio.Event()
    answering = asyncio.create_task(hear(model, COUNT, ENDLESS, lambda _: started.set()))
    await started.wait()
    counts = await asyncio.gather(*(model.tokenize("How many tokens is this?") for _ in range(20)))
    assert not answering.done()
    model.cancel("answer")
    assert (await answering).settled.finish is FinishReason.CANCELLED
    assert counts == [alone] * 20
