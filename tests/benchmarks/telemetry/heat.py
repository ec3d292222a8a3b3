"""From a temperature to what is done: read once a second by the real sampler, done to a real answer."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.benchmarks.harness import Row, at_most
from tests.benchmarks.places import STARTER
from tests.worker.support import ENDLESS, hear, load, user
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.config.settings import GovernorSettings
from tui_chat.engine.governor import Governor
from tui_chat.engine.instruments import Instruments
from tui_chat.engine.swap.resident import Holdable
from tui_chat.telemetry.sampler import Sampler
from tui_chat.telemetry.source import Reading
from tui_chat.wire.events import Delta, Prefill
from tui_chat.wire.telemetry import MachineSample

ROUNDS = 9
SILENT_S = 2.5
"""Longer than any wait for a token; a pause has surely begun before."""
QUESTION = "Write a long and detailed story about an old lighthouse keeper and the sea."
HOT, COOL = 95.0, 60.0


class Thermometer:
    """A source that reads whatever temperature it is given."""

    name = "machine"

    def __init__(self) -> None:
        self.degrees = COOL

    def read(self) -> Reading:
        """Read it."""
        return Reading(machine=MachineSample(temperature_c=self.degrees))

    def close(self) -> None:
        """Nothing is held."""


class Answer:
    """One on its way: when its pieces came, and how much of its prompt was evaluated after the first."""

    def __init__(self, model: LlamaCppModel) -> None:
        self.came: list[float] = []
        self.evaluated_again = 0
        self.task = asyncio.create_task(hear(model, user(QUESTION), ENDLESS, self._hear))

    def _hear(self, event: object) -> None:
        if isinstance(event, Delta):
            self.came.append(perf_counter())
        elif isinstance(event, Prefill) and self.came:
            self.evaluated_again += event.total - event.reused


def rows() -> Iterator[Row]:
    """Measure from setting the temperature to the last token before the pause, and the first one after it."""
    yield from asyncio.run(_measure())


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as logs:
        model = await load(STARTER, Path(logs), 8192)
        thermometer = Thermometer()
        governor = Governor(GovernorSettings(), lambda: [Holdable("m", model)], lambda: None)
        instruments = Instruments(Sampler([thermometer]), lambda: (), lambda: True, governor.look)
        tasks = [asyncio.create_task(instruments.run()), asyncio.create_task(governor.run())]
        answer = Answer(model)
        random_ = random.Random(5)
        paused, resumed = [], []
        for _ in range(ROUNDS):
            await asyncio.sleep(random_.uniform(1.0, 2.0))
            paused.append(await _pause(thermometer, answer))
            resumed.append(await _resume(thermometer, answer))
        model.cancel("answer")
        heard = await answer.task
        again = await hear(model, user(QUESTION))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await model.close()
    usage = again.settled.usage
    lost = answer.evaluated_again + usage.prompt_tokens - usage.reused_tokens
    assert heard.settled.usage.completion_tokens, "it was written"
    return [
        at_most("critical temperature to paused decode, worst of 9", max(paused), "s", 1.5),
        at_most("below it again to resumed decode, worst of 9", max(resumed), "s", 1.5),
        Row("the same, medians", statistics.median(paused) + statistics.median(resumed), "s, both"),
        at_most("prompt evaluated again after pauses", lost, "tokens", 0),
    ]


async def _pause(thermometer: Thermometer, answer: Answer) -> float:
    """Make it hot; return the seconds to the last piece of text before it stands still."""
    began, thermometer.degrees = perf_counter(), HOT
    while perf_counter() - max(began, answer.came[-1]) < SILENT_S:
        await asyncio.sleep(0.01)
    return max(0.0, answer.came[-1] - began)


async def _resume(thermometer: Thermometer, answer: Answer) -> float:
    """Make it cool; return the seconds to the next piece of text."""
    count = len(answer.came)
    began, thermometer.degrees = perf_counter(), COOL
    while len(answer.came) == count:
        await asyncio.sleep(0.001)
    return answer.came[count] - began
