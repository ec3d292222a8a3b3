"""What somebody does with several models: keeps to one for some turns, then turns to another, by habit."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_CONTEXT, MOST_CONTEXT = 2048, 32768
STAY = 0.8
"""Chance that the next turn goes to the same model."""
HABIT = 0.6
"""Chance that a switch goes where it usually goes from this model, rather than by popularity."""
CARRY = 0.2
"""Chance that a switch takes the conversation along."""
RETURN = 0.7
"""Chance that a switch goes on with an earlier conversation of that model, rather than a new one."""
PAUSE_S, BREAK_S, BREAK = 45.0, 3600.0, 0.02
"""Usual time between turns; now and then a longer one."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message and its answer.

    Attributes:
        at: Seconds since the beginning, were there no waiting.
        history: Tokens of the conversation so far.
        added: Tokens of the message and its answer.
    """

    at: float
    model: str
    conversation: int
    history: int
    added: int


@dataclass(slots=True)
class _Conversation:
    number: int
    document: int
    tokens: int = 0


def make_trace(models: Sequence[str], turns: int, seed: int) -> list[Turn]:
    """Make up a day; `models` are from the most to the least popular (Zipf's law)."""
    draw = random.Random(seed)
    numbers = itertools.count()
    popularity = [1 / rank for rank in range(1, len(models) + 1)]
    usual = {model: draw.sample([m for m in models if m != model], 2) for model in models}
    begun: dict[str, list[_Conversation]] = {model: [] for model in models}
    model, conversation, at = models[0], _new(draw, next(numbers)), 0.0
    trace = []
    for _ in range(turns):
        added = draw.randint(20, 400) + draw.randint(50, 700)
        if conversation.tokens + added > MOST_CONTEXT:
            conversation = _new(draw, next(numbers))
        if conversation.tokens == 0:
            added += conversation.document
        trace.append(Turn(at, model, conversation.number, conversation.tokens, added))
        conversation.tokens += added
        if conversation not in begun[model]:
            begun[model].append(conversation)
        at += draw.expovariate(1 / (BREAK_S if draw.random() < BREAK else PAUSE_S))
        if draw.random() < STAY:
            continue
        habitual = draw.random() < HABIT
        others = usual[model] if habitual else [m for m in models if m != model]
        weights = [2, 1] if habitual else [p for m, p in zip(models, popularity, strict=True) if m != model]
        (model,) = draw.choices(others, weights)
        if draw.random() >= CARRY:
            earlier = begun[model][-3:]
            again = bool(earlier) and draw.random() < RETURN
            conversation = draw.choice(earlier) if again else _new(draw, next(numbers))
    return trace


def _new(draw: random.Random, number: int) -> _Conversation:
    """A conversation that begins with nothing, or with a document of up to half the largest context."""
    document = min(draw.lognormvariate(7.5, 1.0), MOST_CONTEXT / 2)
    return _Conversation(number, int(document) if draw.random() < 0.5 else 0)
