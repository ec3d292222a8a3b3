"""Which quant suits this machine: the largest good one that fits with a conversation beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.library.hub.choices import Choice
from tui_chat.library.hub.quants import BITS, Grade, grade
from tui_chat.library.hub.room import CONTEXT, Room, usually_beside
from tui_chat.wire.words import size


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


def assess(choices: Sequence[Choice], parameters: int, room: Room, beside: int = 0) -> list[Verdict]:
    """Say of each choice whether it fits.

    Args:
        choices: What there is.
        parameters: Of the model; 0 if that is not known, and then they are guessed from the sizes.
        room: Where it is to go.
        beside: Bytes that the model takes beside its weights; 0 if its header could not tell.
    """
    verdicts = []
    for choice in choices:
        needed = choice.size + (beside or usually_beside(parameters or _guessed(choice)))
        on_gpu = 0 < needed <= room.vram_budget
        verdicts.append(Verdict(choice, needed, on_gpu, in_memory=needed <= room.budget))
    return verdicts


def recommend(verdicts: Sequence[Verdict], room: Room) -> Recommendation:
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
            return Recommendation(best.choice, _reason(best, least, room))
    least_needed = min((verdict.needed for verdict in verdicts), default=0)
    return Recommendation(
        None, f"even the smallest needs {size(least_needed)} with {CONTEXT:,} tokens, and {room.words}"
    )


def _guessed(choice: Choice) -> int:
    bits = BITS.get(choice.label.removeprefix("UD-"), 5.0)
    return int(choice.size * 8 / bits)


def _reason(verdict: Verdict, least: Grade, room: Room) -> str:
    why = {
        Grade.GOOD: "the largest up to Q8_0",
        Grade.FAIR: "the best, for nothing from Q4_K_M on",
        Grade.POOR: "the best, though below four bits answers get noticeably worse: nothing better",
        Grade.FULL: "not quantised, but there is nothing else",
    }[least]
    where = "fits on the GPU" if verdict.on_gpu else "fits"
    return f"{why} that {where}: {size(verdict.needed)} with {CONTEXT:,} tokens, and {room.words}"
