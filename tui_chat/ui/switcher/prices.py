"""What loading each model would take, asked of the engine. A late reply never overwrites a newer one."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tui_chat.chat.model import Problem
from tui_chat.client.errors import EngineError
from tui_chat.ui.switcher.choice import Choice
from tui_chat.wire.api import PlanReply, PlanRequest
from tui_chat.wire.plan import DeviceSpec, Plan

BATCH = 8
"""Models priced at once: the first screen of a list is there before the rest is asked about."""


class Price(msgspec.Struct, frozen=True):
    """What was last said about a model: a plan, or why there is none, for that choice."""

    choice: Choice
    plan: Plan | None = None
    problem: Problem | None = None


class Prices:
    """The newest prices of some models. Not for threads."""

    def __init__(
        self,
        ask: Callable[[PlanRequest], Awaitable[PlanReply]],
        need: int,
        changed: Callable[[Sequence[str]], None],
    ) -> None:
        """Ask nothing yet.

        Args:
            ask: Asks the engine; may raise `EngineError`.
            need: Tokens that a context must hold.
            changed: Called with the models of which something new is known.
        """
        self._ask = ask
        self._need = need
        self._changed = changed
        self._choices: dict[str, Choice] = {}
        self._prices: dict[str, Price] = {}
        self._heard: dict[str, int] = {}
        self._tickets = itertools.count(1)
        self._looked = 0
        self.devices: tuple[DeviceSpec, ...] = ()
        self.problem: Problem | None = None

    def choice(self, model: str) -> Choice:
        """What is chosen for `model`."""
        return self._choices.get(model, Choice())

    def choose(self, model: str, choice: Choice) -> None:
        """Choose; what was priced for another choice is not the price any more."""
        self._choices[model] = choice

    def price(self, model: str) -> Price | None:
        """What `model` costs as chosen, or None while nobody knows."""
        price = self._prices.get(model)
        return price if price is not None and price.choice == self.choice(model) else None

    def latest(self, model: str) -> Plan | None:
        """The newest plan for `model`, be it for another choice."""
        price = self._prices.get(model)
        return price.plan if price is not None else None

    async def all(self, models: Sequence[str]) -> None:
        """Price `models` by arithmetic, in their order, a batch at a time."""
        plain = [model for model in models if self.choice(model) == Choice()]
        for start in range(0, len(plain), BATCH):
            await self._request(plain[start : start + BATCH], Choice(), exact=False)
        for model in models:
            if self.choice(model) != Choice():
                await self.one(model)

    async def one(self, model: str, *, exact: bool = False) -> None:
        """Price `model` as chosen; `exact` has llama.cpp itself lay it out."""
        await self._request([model], self.choice(model), exact=exact)

    async def look(self) -> None:
        """Ask only what the devices have free."""
        await self._request([], Choice(), exact=False)

    async def _request(self, models: Sequence[str], choice: Choice, *, exact: bool) -> None:
        ticket = next(self._tickets)
        request = PlanRequest(
            models=tuple(models),
            need=self._need,
            context=choice.context,
            kv_type=choice.kv_type,
            exact=exact,
        )
        try:
            reply = await self._ask(request)
        except EngineError as error:
            self.problem = error.problem
            self._changed(models)
            return
        self.problem = None
        if ticket > self._looked:
            self._looked, self.devices = ticket, reply.devices
        fresh = [m for m in models if ticket > self._heard.get(m, 0) and choice == self.choice(m)]
        for model in fresh:
            self._heard[model] = ticket
            self._prices[model] = Price(choice, reply.plans.get(model), reply.problems.get(model))
        self._changed(fresh)
