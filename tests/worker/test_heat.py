"""What is done about heat: real answers wait between two tokens, and go on as if nothing had been."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest

from tests.worker.conftest import Loader
from tests.worker.support import COUNT, ENDLESS, GREEDY, Heard, hear
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.chat.model import FinishReason, Sampling
from tui_chat.config.settings import GovernorSettings, HeatAction
from tui_chat.engine.governor import Governor
from tui_chat.engine.swap.resident import Holdable
from tui_chat.ui import words
from tui_chat.wire.events import Delta
from tui_chat.wire.telemetry import GpuSample, MachineSample, Maker, Sample

LONG = msgspec.structs.replace(GREEDY, max_tokens=60)
SILENT_S = 0.5
"""Many times what a token takes here."""


def at(cpu: float, own: float | None = None, **gpus: float) -> Sample:
    """The machine, and its GPUs, at these temperatures; GPUs slow themselves down at 85 °C."""
    return Sample(
        at=0.0,
        machine=MachineSample(temperature_c=cpu, warn_c=own),
        gpus=tuple(
            GpuSample(id=n, index=int(n[1:]), maker=Maker.NVIDIA, name=n, temperature_c=c, warn_c=85.0)
            for n, c in gpus.items()
        ),
    )


def governor(model: LlamaCppModel, **settings: object) -> Governor:
    return Governor(GovernorSettings(**settings), lambda: [Holdable("m", model)], lambda: None)


class Answer:
    """One on its way; it waits to be told of each token."""

    def __init__(self, model: LlamaCppModel, sampling: Sampling) -> None:
        self.tokens = 0
        self.began = time.monotonic()
        self._grown = asyncio.Event()
        self._task = asyncio.create_task(hear(model, COUNT, sampling, self._hear))

    def _hear(self, event: object) -> None:
        if isinstance(event, Delta):
            self.tokens += event.tokens
            self._grown.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._grown.clear()
                await self._grown.wait()

    async def grows(self) -> bool:
        """Whether another token comes; those that were on their way when it was held have come before."""
        self._grown.clear()
        try:
            async with asyncio.timeout(SILENT_S):
                await self._grown.wait()
        except TimeoutError:
            return False
        return True

    async def falls_silent(self) -> None:
        async with asyncio.timeout(30):
            while await self.grows():
                pass

    async def end(self) -> Heard:
        async with asyncio.timeout(60):
            return await self._task


async def test_an_answer_waits_while_it_is_too_hot_and_is_the_same_in_the_end(loaded: Loader) -> None:
    model = await loaded()
    reference = await hear(model, COUNT, LONG)
    heat = governor(model)
    answer = Answer(model, LONG)
    await answer.until(lambda: answer.tokens >= 3)
    heat.look(at(91))
    assert [(hot.device, hot.held, hot.below_c) for hot in heat.hot] == [("CPU", True, 82.0)]
    await answer.falls_silent()
    assert answer.tokens < LONG.max_tokens
    paused = time.monotonic()
    heat.look(at(83))
    assert heat.hot[0].held, "it is not cool enough yet"
    assert not await answer.grows()
    heat.look(at(81))
    paused_ms, began = (time.monotonic() - paused) * 1e3, answer.began
    heard = await answer.end()
    lasted_ms = (time.monotonic() - began) * 1e3
    assert heard.text == reference.text
    assert heard.settled.usage.completion_tokens == reference.settled.usage.completion_tokens
    assert heard.settled.timings.decode_ms <= lasted_ms - paused_ms, "without the pause"


async def test_an_answer_that_waits_can_be_stopped_or_let_go(loaded: Loader) -> None:
    model = await loaded()
    heat = governor(model)
    answer = Answer(model, ENDLESS)
    await answer.until(lambda: answer.tokens >= 3)
    heat.look(at(95))
    await answer.falls_silent()
    heat.let_go()
    before = answer.tokens
    await answer.until(lambda: answer.tokens > before)
    heat.look(at(94))
    assert not heat.hot[0].held, "somebody has said so"
    heat.look(at(60))
    assert heat.hot == ()
    heat.look(at(90))
    assert heat.hot[0].held, "it was cool in between"
    await answer.falls_silent()
    model.cancel("answer")
    heard = await answer.end()
    assert heard.settled.finish is FinishReason.CANCELLED
    heat.look(at(60))
    assert (await hear(model, COUNT)).settled.finish is FinishReason.LENGTH


async def test_slowed_down_it_is_written_all_the_same(loaded: Loader) -> None:
    model = await loaded()
    heat = governor(model, action=HeatAction.SLOW)
    heat.look(at(91))
    assert (heat.hot[0].slowed, heat.hot[0].held) == (True, False)
    beating = asyncio.create_task(heat.run())
    heard = await hear(model, COUNT, LONG)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    assert heard.settled.usage.completion_tokens == LONG.max_tokens
    assert (await hear(model, COUNT)).settled.finish is FinishReason.LENGTH, "nobody is held any more"


class Held:
    """Stands where a model does, and notes whether it is held."""

    def __init__(self, can_hold: bool = True) -> None:
        self.can_hold = can_hold
        self.held = False

    def hold(self, held: bool) -> None:
        self.held = held


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (at(60, g0=60, g1=60), (False, False, False)),
        (at(60, g0=86, g1=60), (True, False, False)),  # its own limit is lower than 90 °C
        (at(60, g0=60, g1=86), (False, True, False)),
        (at(89, g0=79, g1=60), (False, False, False)),  # hot, but no more than that
        (at(96, own=100), (True, True, True)),  # everybody needs the processors
        (at(88, own=86), (True, True, True)),
    ],
)
def test_only_those_are_held_that_use_what_is_too_hot(sample: Sample, expected: tuple[bool, ...]) -> None:
    models = [Held(), Held(), Held()]
    uses = [frozenset({0}), frozenset({1}), frozenset()]
    told: list[int] = []
    workers = [Holdable("m", model, gpus) for model, gpus in zip(models, uses, strict=True)]
    heat = Governor(GovernorSettings(), lambda: workers, lambda: told.append(1))
    heat.look(sample)
    assert tuple(model.held for model in models) == expected
    assert bool(told) == bool(heat.hot)
    assert bool(heat.hot) == (sample != at(60, g0=60, g1=60))


def test_whoever_wants_only_to_be_warned_is() -> None:
    model = Held()
    heat = Governor(
        GovernorSettings(warn_c=70, critical_c=75, action=HeatAction.WARN),
        lambda: [Holdable("m", model)],
        lambda: None,
    )
    heat.look(at(76))
    assert (heat.hot[0].critical, heat.hot[0].held, model.held) == (True, False, False)
    heat.look(at(66))
    assert [hot.critical for hot in heat.hot] == [False], "the warning stays until it is 8 °C cooler"
    heat.look(at(58))
    assert heat.hot == ()


def test_whoever_is_to_need_little_power_is_slowed_down_before_it_is_critical() -> None:
    """And goes on at full speed when told to, until it is critical."""
    easy, other = Held(), Held()
    workers = [Holdable("easy", easy, frozenset({0}), easy=True), Holdable("other", other, frozenset({0}))]
    heat = Governor(GovernorSettings(warn_c=70, critical_c=85), lambda: workers, lambda: None)
    heat.look(at(50, g0=72))
    (hot,) = heat.hot
    assert (hot.slowed, hot.critical, hot.below_c) == (True, False, 62.0)
    heat._beat = True
    heat.apply()
    assert (easy.held, other.held) == (True, False)
    heat.let_go()
    assert (easy.held, heat.hot[0].slowed) == (False, False)
    heat.look(at(50, g0=86))
    assert (easy.held, other.held, heat.hot[0].held) == (True, True, True)


def test_a_model_that_cannot_be_paused_is_named() -> None:
    workers = [Holdable("far", Held(can_hold=False), frozenset({0}))]
    heat = Governor(GovernorSettings(critical_c=85), lambda: workers, lambda: None)
    heat.look(at(50, g0=80))
    assert heat.hot[0].unheld == ()
    heat.look(at(50, g0=86))
    assert heat.hot[0].unheld == ("far",)
    told = msgspec.structs.replace(heat.hot[0], held=False)
    assert words.heat((told,), answering=True) == "GPU 0 at 86 °C is too hot, and far cannot be paused"


async def test_nobody_waits_for_instruments_that_tell_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui_chat.engine.governor.BLIND_S", 0.01)
    model = Held()
    heat = Governor(GovernorSettings(), lambda: [Holdable("m", model)], lambda: None)
    heat.look(at(95))
    assert model.held
    running = asyncio.create_task(heat.run())
    async with asyncio.timeout(10):
        while model.held:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert heat.hot == ()
