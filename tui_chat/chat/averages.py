"""How quick the answers of a session were, all together."""

from __future__ import annotations

import msgspec

from tui_chat.chat.living import living
from tui_chat.chat.model import Session


class Averages(msgspec.Struct, frozen=True, kw_only=True):
    """How quick answers were, all together; what was never measured is None.

    Attributes:
        answers: How many.
        decode_tps: Tokens written per second of decoding; n tokens of one answer take n - 1 steps.
        prefill_tps: Tokens of prompts read per second of prefill, without those that were reused.
        ttft_s: Seconds to the first token, loading included.
    """

    answers: int
    decode_tps: float | None = None
    prefill_tps: float | None = None
    ttft_s: float | None = None


def averages_of(session: Session) -> Averages:
    """Average over all answers of `session`, on whichever branch, that were not removed."""
    said = (message.answer for message in living(session.messages))
    answers = [answer for answer in said if answer is not None and answer.finish is not None]
    steps = written_ms = read = read_ms = 0.0
    waited = []
    for answer in answers:
        usage, timings = answer.usage, answer.timings
        if timings.decode_tps and timings.decode_ms:
            steps, written_ms = steps + usage.completion_tokens - 1, written_ms + timings.decode_ms
        if answer.prefill_tps is not None:
            read += usage.prompt_tokens - usage.reused_tokens
            read_ms += timings.prefill_ms
        if timings.ttft_ms is not None:
            waited.append(timings.ttft_ms)
    return Averages(
        answers=len(answers),
        decode_tps=steps / written_ms * 1e3 if written_ms else None,
        prefill_tps=read / read_ms * 1e3 if read_ms else None,
        ttft_s=sum(waited) / len(waited) / 1e3 if waited else None,
    )
