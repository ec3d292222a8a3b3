"""How an answer of Ollama's ended: its counts and times, which mean other things than their names say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui_chat.backends.servers.dialogue import Final
from tui_chat.backends.servers.failures import garbled
from tui_chat.chat.model import FinishReason, Problem, ProblemCode, Timings, Usage

if TYPE_CHECKING:
    import ollama

CUT_BELOW = 0.9
"""A prompt of which less than this share of what it has at the least was read, has been cut."""
_SPARE = 8
"""Tokens that a runner may leave free at the end of a context."""
_NS_PER_MS = 1e6
_FINISHES = {None: FinishReason.STOP, "stop": FinishReason.STOP, "length": FinishReason.LENGTH}
"""Releases before 0.1.38 give no reason."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here of a question.

    Attributes:
        at_least: Tokens that its prompt has, at the least; None where nobody can say.
        limit: Tokens that the answer may have, if that is limited.
        context: Of the model, in tokens; 0 where it is not known.
        fresh: Whether the model cannot have read any of it before.
    """

    at_least: int | None = None
    limit: int | None = None
    context: int = 0
    fresh: bool = False


def final_of(server: str, last: ollama.ChatResponse, counted: Counted) -> Final:
    """Make sense of the last reply of a stream. Counts and times of zero are left out of it.

    Raises:
        ServerError: It ended for a reason that no answer ends for.
    """
    finish = _FINISHES.get(last.done_reason or None)
    if finish is None:
        raise garbled(server, f"it ended with the reason {last.done_reason!r}")
    usage = Usage(
        prompt_tokens=last.prompt_eval_count or counted.at_least or 0,
        completion_tokens=last.eval_count or 0,
        estimated=not last.prompt_eval_count,
    )
    problem = _cut(server, last.prompt_eval_count or 0, counted.at_least) or (
        _full(counted.context) if finish is FinishReason.LENGTH and _is_full(usage, counted) else None
    )
    return Final(finish=finish, usage=usage, timings=_timings(last, usage, counted), problem=problem)


def _timings(last: ollama.ChatResponse, usage: Usage, counted: Counted) -> Timings:
    """Times as far as they can be trusted.

    The time of the prompt is that of the tokens that were not in the cache, and how many those were is not
    told: it is only of use where none can have been. The time of the answer is that of all tokens but the
    first.
    """
    decode_ms = (last.eval_duration or 0) / _NS_PER_MS
    steps = usage.completion_tokens - 1
    return Timings(
        prefill_ms=(last.prompt_eval_duration or 0) / _NS_PER_MS if counted.fresh else 0.0,
        decode_ms=decode_ms,
        decode_tps=steps / decode_ms * 1e3 if steps > 0 and decode_ms > 0 else None,
    )


def _cut(server: str, evaluated: int, at_least: int | None) -> Problem | None:
    if not evaluated or at_least is None or evaluated >= at_least * CUT_BELOW:
        return None
    return Problem(
        ProblemCode.PROMPT_CUT,
        f"{server} has read {evaluated:,} tokens of a conversation that has {at_least:,} or more: it left "
        "out the oldest.",
        kept="The answer is kept; it was written without them.",
        remedy="Load the model with more context, or have earlier messages dropped or summarised.",
    )


def _is_full(usage: Usage, counted: Counted) -> bool:
    """Whether it was the context that ended the answer."""
    limited = counted.limit is not None and usage.completion_tokens >= counted.limit
    return not limited and 0 < counted.context <= usage.prompt_tokens + usage.completion_tokens + _SPARE


def _full(context: int) -> Problem:
    return Problem(
        ProblemCode.CONTEXT_OVERFLOW,
        f"The context of {context:,} tokens is full, so the answer ends here.",
        kept="The answer so far is kept.",
        remedy="Load the model with a longer context, or start a new chat.",
    )
