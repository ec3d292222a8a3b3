"""The words around an answer: its metadata, its thinking, and how it ended."""

from __future__ import annotations

from tui_chat.chat.model import FinishReason
from tui_chat.ui.transcript.items import AnswerItem
from tui_chat.wire.words import about, speed

_ENDINGS = {
    FinishReason.LENGTH: "The answer reached its limit of tokens and stops here.",
    FinishReason.CANCELLED: "You stopped this answer.",
    FinishReason.CONTEXT_OVERFLOW: "The context is full.",
    FinishReason.LOAD_FAILED: "The model could not be loaded.",
    FinishReason.WORKER_DIED: "The model's process died.",
    FinishReason.ENGINE_DIED: "The engine died while this was answered.",
    FinishReason.BACKEND_ERROR: "The backend reported an error.",
    FinishReason.INTERRUPTED: "The server broke off.",
    FinishReason.TIMEOUT: "The backend took too long.",
}


def metadata(item: AnswerItem) -> str:
    """Return one line of numbers under a settled answer (`204 tok/s · 0.09 s · 312 tokens`)."""
    usage, timings = item.usage, item.timings
    parts: list[str] = []
    if timings.decode_tps:
        parts.append(speed(usage, timings))
    if timings.ttft_ms is not None:
        parts.append(seconds(timings.ttft_ms))
    if usage.completion_tokens:
        parts.append(f"{about(usage)}{usage.completion_tokens:,} token{'s' * (usage.completion_tokens != 1)}")
    if usage.reused_tokens:
        parts.append(_reused(item))
    if item.note:
        parts.append(item.note)
    return " · ".join(parts)


def _reused(item: AnswerItem) -> str:
    usage, timings = item.usage, item.timings
    moved = f" ({usage.shifted_tokens:,} moved)" if usage.shifted_tokens else ""
    read = f", prefill {seconds(timings.prefill_ms)}" if timings.prefill_ms else ""
    return f"reused {usage.reused_tokens:,} of {usage.prompt_tokens:,} tokens{moved}{read}"


def thinking(item: AnswerItem, live: bool) -> str:
    """Return what the folded thinking says (`thought for 3.1 s`)."""
    if live:
        return "thinking"
    duration = item.timings.thinking_ms
    return f"thought for {duration / 1000:.1f} s" if duration else "thought"


def ending(item: AnswerItem) -> tuple[str, str]:
    """Return what happened and what was kept, and what to press; both empty for a complete answer."""
    if item.finish in (None, FinishReason.STOP) and item.problem is None:
        return "", ""
    if item.problem is not None:
        what = item.problem.what
        kept = item.problem.kept
        return " ".join(filter(None, (what, kept))), item.hint or item.problem.remedy
    what = _ENDINGS.get(item.finish, "") if item.finish else ""
    if item.finish is not FinishReason.LENGTH and (item.text or item.thinking):
        what += f" {_kept(item)} kept."
    return what, item.hint


def seconds(milliseconds: float) -> str:
    """Return a duration with the digits that matter (`0.09 s`, `12.3 s`)."""
    value = milliseconds / 1000
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def _kept(item: AnswerItem) -> str:
    count = item.usage.completion_tokens
    if count == 1:
        return "Its only token is"
    return f"Its {about(item.usage)}{count:,} tokens are" if count else "What it said is"
