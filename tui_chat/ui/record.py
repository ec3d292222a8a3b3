"""The flight record of one answer, for a person."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from tui_chat.chat.flight import Flight
from tui_chat.chat.model import Answer, Sampling
from tui_chat.ui import words
from tui_chat.ui.screens.factual import lines_of, pair
from tui_chat.wire.readings import heat, percent
from tui_chat.wire.words import about, rate, size, speed

_WORTH_MS = 10.0
"""A wait that is shorter is not told."""


def record(answer: Answer, width: int) -> Content:
    """Write all that is known of how it came to be, in `width` cells; nothing that is not."""
    parts = [list(_answered(answer)), list(_timed(answer))]
    if answer.flight is not None:
        parts += [list(_stood(answer, answer.flight)), list(_took(answer, answer.flight))]
    drawn = [[line for fact in part for line in lines_of(*fact, width)] for part in parts if part]
    return Content("\n\n").join([Content("\n").join(lines) for lines in drawn])


def _answered(answer: Answer) -> Iterator[tuple[str, str]]:
    flight = answer.flight or Flight()
    yield from pair("model", answer.model, "" if flight.quant in answer.model else flight.quant)
    yield from pair("weights", answer.fingerprint)
    yield from pair(
        "drawn with", _drawn(answer.sampling), "" if answer.seed is None else f"seed {answer.seed}"
    )
    if flight.context:
        where = (
            "all on CPU" if not flight.gpu_layers else f"{flight.gpu_layers} of {flight.layers} layers on GPU"
        )
        yield from pair("loaded with", f"{flight.context:,} tokens of context", f"KV {flight.kv_type}", where)
    yield from pair("computed by", flight.backend, f"tui-chat {flight.version}" if flight.version else "")


def _drawn(sampling: Sampling) -> str:
    if sampling.temperature == 0:
        return "the likeliest token each time"
    told = f"temperature {sampling.temperature:g}, top-k {sampling.top_k}, top-p {sampling.top_p:g}"
    return f"{told}, min-p {sampling.min_p:g}"


def _timed(answer: Answer) -> Iterator[tuple[str, str]]:
    usage, timings = answer.usage, answer.timings
    if usage.completion_tokens:
        took = words.seconds(timings.decode_ms / 1000)
        written = f"{about(usage)}{words.count(usage.completion_tokens, 'token')}"
        yield from pair("written", f"{written} in {took}", speed(usage, timings))
    if usage.prompt_tokens:
        read = "" if answer.prefill_tps is None else f"read at {rate(answer.prefill_tps)}"
        reused = f"{usage.reused_tokens:,} of them reused" if usage.reused_tokens else ""
        yield from pair("prompt", words.count(usage.prompt_tokens, "token"), reused, read)
    if timings.ttft_ms is not None:
        waits = (("queue", timings.queue_ms), ("load", timings.load_ms), ("prefill", timings.prefill_ms))
        parts = [f"{name} {words.seconds(took / 1000)}" for name, took in waits if took >= _WORTH_MS]
        told = f" ({', '.join(parts)})" if parts else ""
        yield "first token", f"after {words.seconds(timings.ttft_ms / 1000)}{told}"


def _stood(answer: Answer, flight: Flight) -> Iterator[tuple[str, str]]:
    held_ms = answer.timings.held_ms
    if flight.stalled_ms or held_ms:
        cooling = f"{words.seconds(held_ms / 1000)} for a device to cool down" if held_ms else ""
        yield from pair("stood still", words.seconds(flight.stalled_ms / 1000), cooling)
    if flight.throttled_ms:
        yield from pair("slowed down", words.seconds(flight.throttled_ms / 1000), *flight.throttled_by)
    if flight.slow is not None:
        likely = "; ".join(flight.slow.causes) or "nothing in this record says why"
        yield "slower", f"than usual ({rate(flight.slow.usual_tps)}): {likely}"


def _took(answer: Answer, flight: Flight) -> Iterator[tuple[str, str]]:
    memory = (("RAM", flight.peak_ram_bytes), ("VRAM", flight.peak_vram_bytes))
    yield from pair("at most", *(f"{size(taken)} of {name}" for name, taken in memory if taken))
    hottest = (("GPU", flight.gpu_c), ("CPU", flight.cpu_c))
    yield from pair(
        "hottest", *(f"{name} {heat(degrees)}" for name, degrees in hottest if degrees is not None)
    )
    if flight.power_w is not None and flight.energy_j is not None:
        tokens = answer.usage.completion_tokens
        each = f"{flight.energy_j / tokens:.2f} J a token" if tokens else ""
        yield from pair("power", f"{flight.power_w:.0f} W", f"{flight.energy_j:,.0f} J", each)
    clock = "" if flight.cpu_mhz is None else f"processors at {flight.cpu_mhz / 1000:.1f} GHz"
    others = [] if flight.other_cpu is None else [f"{percent(flight.other_cpu)} of the processors"]
    others += [] if flight.other_vram_bytes is None else [f"{size(flight.other_vram_bytes)} of VRAM"]
    yield from pair("others took", *others)
    yield from pair("clock", clock)
