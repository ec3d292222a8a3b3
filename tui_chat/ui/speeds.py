"""How fast the model reads and writes: now, in the last answer, and in this conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.instruments import between, ends, stacked
from tui_chat.wire.events import Prefill
from tui_chat.wire.words import about, rate, speed

if TYPE_CHECKING:
    from tui_chat.chat.averages import Averages
    from tui_chat.chat.model import Answer
    from tui_chat.ui.facts import Facts


class Speeds(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of them.

    Attributes:
        now: Tokens per second of the answer in flight; `lately` what that was before, oldest first.
        reading: How far the prompt is read.
        written: Tokens of the answer in flight.
        last: The newest settled answer.
        session: Of all answers of this conversation together, if there are several.
    """

    now: float | None = None
    lately: tuple[float, ...] = ()
    reading: Prefill | None = None
    written: int | None = None
    last: Answer | None = None
    session: Averages | None = None


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
        session=facts.averages if facts.averages is not None and facts.averages.answers > 1 else None,
    )


def gist(speeds: Speeds) -> tuple[str, ...]:
    """Say what matters most of them."""
    if (reading := speeds.reading) is not None:
        return (f"reading {_part(reading)}",)
    if speeds.written is not None:
        written = words.count(speeds.written, "token")
        return (written,) if speeds.now is None else (rate(speeds.now), written)
    last = speeds.last
    written = speed(last.usage, last.timings) if last is not None else ""
    return (written,) if written else ()


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
    elif last is not None:
        if last.timings.decode_tps:
            lines.append(between(Content(f" {speed(last.usage, last.timings)}"), speeds.lately, "", width))
        lines += _of(last, width)
    if speeds.session is not None:
        lines += _on_average(speeds.session, width)
    if len(lines) == 1:
        lines.append(Content.styled(" nothing measured here yet", "$muted"))
    return Content("\n").join(lines)


def _reading(prefill: Prefill, width: int) -> list[Content]:
    left = "" if prefill.eta_s is None else f"{words.seconds(prefill.eta_s)} left"
    bar = stacked(
        [(prefill.reused, "$muted"), (prefill.done - prefill.reused, "$accent")], prefill.total, width - 2
    )
    return [
        ends(f" reading {_part(prefill)}", left, width),
        Content.assemble(" ", bar),
        ends(" prompt", words.count(prefill.total, "token"), width),
    ]


def _part(prefill: Prefill) -> str:
    return f"{prefill.done / max(1, prefill.total) * 100:.0f} %"


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
        lines.append(ends(" tokens out", f"{about(usage)}{usage.completion_tokens:,}", width))
    return lines


def _on_average(session: Averages, width: int) -> Iterator[Content]:
    """The same of all answers of this conversation together."""
    if session.decode_tps is None and session.ttft_s is None and session.prefill_tps is None:
        return  # answers of other programs
    speed = "" if session.decode_tps is None else rate(session.decode_tps)
    yield ends(" session average", speed, width)
    if session.ttft_s is not None:
        yield ends("   first token", words.seconds(session.ttft_s), width)
    if session.prefill_tps is not None:
        yield ends("   prefill", rate(session.prefill_tps), width)
