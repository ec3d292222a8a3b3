"""How fast the model reads and writes: now, in the last answer, and in this conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.instruments import between, ends, stacked
from tui_chat.wire.events import Prefill
from tui_chat.wire.words import rate

if TYPE_CHECKING:
    from tui_chat.chat.model import Answer, Message
    from tui_chat.ui.facts import Facts


class Speeds(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of them.

    Attributes:
        now: Tokens per second of the answer in flight; `lately` what that was before, oldest first.
        reading: How far the prompt is read.
        written: Tokens of the answer in flight.
        last: The newest settled answer.
        usual: Tokens per second of all answers on this branch together.
    """

    now: float | None = None
    lately: tuple[float, ...] = ()
    reading: Prefill | None = None
    written: int | None = None
    last: Answer | None = None
    usual: float | None = None


def speeds_of(facts: Facts, lately: Sequence[float]) -> Speeds:
    """Find out what is known."""
    live = facts.live
    reading = live.phase if live is not None and isinstance(live.phase, Prefill) else None
    return Speeds(
        now=facts.speed,
        lately=tuple(lately),
        reading=reading,
        written=None if live is None or reading is not None else live.tokens,
        last=facts.last_answer,
        usual=usual_tps(facts.path),
    )


def usual_tps(path: Sequence[Message]) -> float | None:
    """Tokens per second over all answers together; n tokens of one take n - 1 steps."""
    answers = [m.answer for m in path if m.answer is not None and m.answer.timings.decode_tps]
    steps = sum(each.usage.completion_tokens - 1 for each in answers)
    seconds = sum(each.timings.decode_ms for each in answers) / 1000
    return steps / seconds if len(answers) > 1 and seconds > 0 else None


def draw_speed(speeds: Speeds, width: int) -> Content:
    """Draw them for a narrow column."""
    lines = [Content.styled("speed", "bold")]
    last = speeds.last
    if speeds.reading is not None:
        lines += _reading(speeds.reading, width)
    elif speeds.written is not None:
        now = "…" if speeds.now is None else rate(speeds.now)
        lines.append(between(Content.assemble(" ", (now, "$accent")), speeds.lately, "", width))
        lines.append(ends(" written", words.count(speeds.written, "token"), width))
        return Content("\n").join(lines)
    elif last is not None and last.timings.decode_tps:
        lines.append(between(Content(f" {rate(last.timings.decode_tps)}"), speeds.lately, "", width))
    if last is not None and speeds.reading is None:
        lines += _of(last, width)
    if speeds.usual is not None:
        lines.append(ends(" on average", rate(speeds.usual), width))
    return Content("\n").join(lines)


def _reading(prefill: Prefill, width: int) -> list[Content]:
    part = prefill.done / max(1, prefill.total)
    left = "" if prefill.eta_s is None else f"{words.seconds(prefill.eta_s)} left"
    bar = stacked(
        [(prefill.reused, "$muted"), (prefill.done - prefill.reused, "$accent")], prefill.total, width - 2
    )
    return [
        ends(f" reading {part * 100:.0f} %", left, width),
        Content.assemble(" ", bar),
        ends(" prompt", words.count(prefill.total, "token"), width),
    ]


def _of(answer: Answer, width: int) -> list[Content]:
    """The facts of one answer: what it waited for, what went in and came out."""
    usage, timings = answer.usage, answer.timings
    lines = []
    if timings.ttft_ms is not None:
        lines.append(ends(" first token", words.seconds(timings.ttft_ms / 1000), width))
    if answer.prefill_tps is not None:
        lines.append(ends(" prefill", rate(answer.prefill_tps), width))
    if usage.prompt_tokens:
        lines.append(ends(" tokens in", f"{usage.prompt_tokens:,}", width))
        if usage.reused_tokens:
            lines.append(ends("   reused", f"{usage.reused_tokens:,}", width))
        lines.append(ends(" tokens out", f"{usage.completion_tokens:,}", width))
    return lines
