"""What a session has cost, and which models answered in it how quickly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from tui_chat.chat.living import living
from tui_chat.chat.model import Answer, FinishReason, Message, Role, Session
from tui_chat.chat.numbers import middle, most
from tui_chat.chat.tree import ChatTree


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one model did in a session.

    Attributes:
        model: Its id.
        answers: How many answers it gave, complete or not.
        complete: How many of them are.
        tokens_written: Tokens of all of them, thinking included.
        decode_tps: The middle one of their speeds, in tokens per second; None if none was measured.
        ttft_ms: The middle one of the times to the first token; None if none was measured.
        prefill_tps: The middle one of the speeds at which prompts were read.
        peak_ram_bytes, peak_vram_bytes: Most memory that it took.
        hottest_c: How hot a GPU in use became at most, or the processor where none was.
        token_j: Energy for each token written, in joules, where power was read.
    """

    model: str
    answers: int
    complete: int
    tokens_written: int
    decode_tps: float | None
    ttft_ms: float | None
    prefill_tps: float | None = None
    peak_ram_bytes: int | None = None
    peak_vram_bytes: int | None = None
    hottest_c: float | None = None
    token_j: float | None = None


class Speed(msgspec.Struct, frozen=True):
    """One answer's speed, to plot: when it was asked for, by which model, how long its prompt was."""

    when: datetime
    model: str
    decode_tps: float
    prompt_tokens: int


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Of everything that was said in a session on any branch, and not removed.

    Attributes:
        messages, questions, answers: How much was said.
        branches: How many ends the tree has.
        tokens_evaluated: Tokens of prompts that models had to read.
        tokens_reused: Tokens of prompts that were in the KV cache.
        tokens_written: Tokens that models wrote, thinking included.
        waiting_s: Seconds from asking to first tokens, loading included.
        decoding_s: Seconds from first tokens to last ones.
        thinking_s: Seconds of those before the answer itself began.
        models: What each model did, the busiest first.
        speeds: How quick the answers were, oldest first.
        first, last: When the first and the last message were written; None without messages.
    """

    messages: int
    questions: int
    answers: int
    branches: int
    tokens_evaluated: int
    tokens_reused: int
    tokens_written: int
    waiting_s: float
    decoding_s: float
    thinking_s: float
    models: tuple[ModelUse, ...]
    speeds: tuple[Speed, ...]
    first: datetime | None
    last: datetime | None


def statistics_of(session: Session) -> Statistics:
    """Count and add up `session`. An answer of which nothing was measured counts as an answer only."""
    said = [message for message in living(session.messages) if message.said]
    answers = [message.answer for message in said if message.answer is not None]
    times = [answer.timings for answer in answers]
    prompts = sum(answer.usage.prompt_tokens for answer in answers)
    reused = sum(answer.usage.reused_tokens for answer in answers)
    return Statistics(
        messages=len(said),
        questions=sum(message.role is Role.USER for message in said),
        answers=sum(message.role is Role.ASSISTANT for message in said),
        branches=len(ChatTree(session).leaves()),
        tokens_evaluated=prompts - reused,
        tokens_reused=reused,
        tokens_written=sum(answer.usage.completion_tokens for answer in answers),
        waiting_s=sum(each.ttft_ms or 0.0 for each in times) / 1e3,
        decoding_s=sum(each.decode_ms for each in times) / 1e3,
        thinking_s=sum(each.thinking_ms for each in times) / 1e3,
        models=uses_of(answers),
        speeds=tuple(_speeds(said)),
        first=min((message.created for message in said), default=None),
        last=max((message.created for message in said), default=None),
    )


def uses_of(answers: Iterable[Answer]) -> tuple[ModelUse, ...]:
    """What each model did, the busiest first."""
    by_model: dict[str, list[Answer]] = {}
    for answer in answers:
        by_model.setdefault(answer.model, []).append(answer)
    used = [_use(model, given) for model, given in by_model.items()]
    return tuple(sorted(used, key=lambda use: (-use.answers, use.model)))


def _use(model: str, given: Sequence[Answer]) -> ModelUse:
    flights = [answer.flight for answer in given if answer.flight is not None]
    return ModelUse(
        model=model,
        answers=len(given),
        complete=sum(answer.finish is FinishReason.STOP for answer in given),
        tokens_written=sum(answer.usage.completion_tokens for answer in given),
        decode_tps=middle(answer.timings.decode_tps for answer in given),
        ttft_ms=middle(answer.timings.ttft_ms for answer in given),
        prefill_tps=middle(answer.prefill_tps for answer in given),
        peak_ram_bytes=most(flight.peak_ram_bytes for flight in flights),
        peak_vram_bytes=most(flight.peak_vram_bytes for flight in flights),
        hottest_c=most(flight.cpu_c if flight.gpu_c is None else flight.gpu_c for flight in flights),
        token_j=_token_j(given),
    )


def _token_j(answers: Iterable[Answer]) -> float | None:
    known = [
        (answer.flight.energy_j, answer.usage.completion_tokens)
        for answer in answers
        if answer.flight is not None and answer.flight.energy_j is not None
    ]
    tokens = sum(count for _, count in known)
    return sum(joules for joules, _ in known) / tokens if tokens else None


def _speeds(said: list[Message]) -> Iterable[Speed]:
    for message in sorted(said, key=lambda message: message.created):
        answer = message.answer
        if answer is not None and answer.timings.decode_tps is not None:
            prompt = answer.usage.prompt_tokens
            yield Speed(message.created, answer.model, answer.timings.decode_tps, prompt)
