"""Which quant suits this machine: the largest good one that fits with a conversation beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.library.hub.choices import Choice
from tui_chat.library.hub.quants import BITS, Grade, grade
from tui_chat.library.machine import Machine

CONTEXT = 8192
"""Tokens that there should be room for."""

_GIB = 1 << 30
_KV_GIB = ((1.5e9, 0.9), (9e9, 1.2), (16e9, 1.6), (40e9, 2.1), (80e9, 2.6), (float("inf"), 3.2))
"""Up to so many parameters, so much for the KV cache of 8,192 tokens in f16: what grouped-query models of
that size commonly take, at the upper end."""
_OVERHEAD_GIB = 0.4
"""Compute buffers, vocabulary and the process itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one choice would need, in bytes with room for `CONTEXT` tokens, and where it fits, if it does."""

    choice: Choice
    needed: int
    on_gpu: bool
    in_memory: bool

    @property
    def words(self) -> str:
        """Say it in a few words."""
        return "fits on the GPU" if self.on_gpu else "fits" if self.in_memory else "does not fit"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The choice for this machine and why, in a sentence; no choice if nothing fits."""

    choice: Choice | None
    reason: str


def assess(choices: Sequence[Choice], parameters: int, machine: Machine) -> list[Verdict]:
    """Say of each choice whether it fits.

    Args:
        choices: What there is.
        parameters: Of the model; 0 if that is not known, and then they are guessed from the sizes.
        machine: Where it is to run.
    """
    verdicts = []
    for choice in choices:
        needed = choice.size + room_for(parameters or _guessed(choice))
        fits = machine.vram and needed <= machine.vram_budget, needed <= machine.budget
        verdicts.append(Verdict(choice, needed, bool(fits[0]), fits[1]))
    return verdicts


def recommend(verdicts: Sequence[Verdict], machine: Machine) -> Recommendation:
    """Choose: the largest from Q4_K_M to Q8_0 that fits, else what loses more, and full precision last."""
    on_gpu = [verdict for verdict in verdicts if verdict.on_gpu]
    in_memory = [verdict for verdict in verdicts if verdict.in_memory]
    for least, fitting in (
        (Grade.GOOD, on_gpu),
        (Grade.FAIR, on_gpu),
        (Grade.GOOD, in_memory),
        (Grade.FAIR, in_memory),
        (Grade.POOR, in_memory),
        (Grade.FULL, in_memory),
    ):
        graded = [verdict for verdict in fitting if grade(verdict.choice.label) is least]
        if graded:
            best = max(graded, key=lambda verdict: verdict.choice.size)
            return Recommendation(best.choice, _reason(best, least, machine))
    least_needed = min((verdict.needed for verdict in verdicts), default=0)
    return Recommendation(
        None, f"even the smallest needs {_gib(least_needed)} with {CONTEXT:,} tokens, and {machine.words}"
    )


def room_for(parameters: int) -> int:
    """Bytes beside the weights that a model of so many parameters takes with `CONTEXT` tokens."""
    kv = next(gib for most, gib in _KV_GIB if parameters <= most)
    return int((kv + _OVERHEAD_GIB) * _GIB)


def _guessed(choice: Choice) -> int:
    bits = BITS.get(choice.label.removeprefix("UD-"), 5.0)
    return int(choice.size * 8 / bits)


def _reason(verdict: Verdict, least: Grade, machine: Machine) -> str:
    why = {
        Grade.GOOD: "the largest up to Q8_0",
        Grade.FAIR: "the best, for nothing from Q4_K_M on",
        Grade.POOR: "the best, though below four bits answers get noticeably worse: nothing better",
        Grade.FULL: "not quantised, but there is nothing else",
    }[least]
    where = "fits on the GPU" if verdict.on_gpu else "fits"
    return f"{why} that {where}: {_gib(verdict.needed)} with {CONTEXT:,} tokens, and {machine.words}"


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
