"""Which numbers of a sampling and of a policy make sense; the others are refused, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tui_chat.chat.model import Sampling
from tui_chat.chat.policy import Policy


class Limits(NamedTuple):
    """The least and the most that something may be."""

    least: float
    most: float

    def hold(self, value: float) -> bool:
        """Whether `value` is within them; what is no number never is."""
        return self.least <= value <= self.most

    def __str__(self) -> str:
        return f"from {_number(self.least)} to {_number(self.most)}"


SAMPLING: Mapping[str, Limits] = {
    "temperature": Limits(0, 5),
    "top_k": Limits(0, 1_000_000),
    "top_p": Limits(0, 1),
    "min_p": Limits(0, 1),
    "repeat_penalty": Limits(0.1, 10),
    "frequency_penalty": Limits(-10, 10),
    "presence_penalty": Limits(-10, 10),
    "penalty_last_n": Limits(-1, 1_000_000),
    "seed": Limits(0, 2**32 - 2),  # llama.cpp takes 2**32 - 1 for "choose one yourself"
    "max_tokens": Limits(1, 10_000_000),
}
POLICY: Mapping[str, Limits] = {
    "window": Limits(256, 100_000_000),
    "fill": Limits(0.1, 1),
    "target": Limits(0.05, 1),
    "keep": Limits(0, 1000),
    "turns": Limits(1, 1000),
    "reserve": Limits(16, 10_000_000),
}


def objection(value: Sampling | Policy) -> str:
    """Say which number of `value` makes no sense, and what would; "" when all do."""
    limits = SAMPLING if isinstance(value, Sampling) else POLICY
    for field, within in limits.items():
        number = getattr(value, field)
        if number is not None and not within.hold(number):
            return f"{field} is {_number(number)}, and has to be {within}"
    if isinstance(value, Policy) and value.target > value.fill:
        return f"target is {value.target:g}, and must not be above fill, which is {value.fill:g}"
    return ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
