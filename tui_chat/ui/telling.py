"""Messages and problems as the transcript shows them, with the keys that help."""

from __future__ import annotations

from collections.abc import Mapping

from tui_chat.chat.model import Answer, FinishReason, Message, Problem, ProblemCode
from tui_chat.ui.transcript.items import AnswerItem, Level, NoticeItem, UserItem

_RETRY = "F9 try again"
_MODEL = "F2 another model"

_INSTEAD: Mapping[ProblemCode, tuple[str, ...]] = {
    ProblemCode.NO_MODEL: ("ctrl+g get the starter model", "F2 models"),
    ProblemCode.MODEL_MISSING: (_MODEL,),
    ProblemCode.MODEL_INVALID: (_MODEL,),
    ProblemCode.MODEL_UNKNOWN: (_MODEL,),
    ProblemCode.SESSION_LOCKED: ("ctrl+f fork",),
    ProblemCode.DOWNLOAD_FAILED: ("ctrl+g try again",),
}
"""Keys that do what the remedy says, and so stand in its place."""

_BESIDE: Mapping[ProblemCode, tuple[str, ...]] = {
    ProblemCode.OUT_OF_MEMORY: (_MODEL,),
    ProblemCode.LOAD_FAILED: (_MODEL,),
    ProblemCode.WORKER_DIED: (_MODEL,),
    ProblemCode.FELL_BACK: (_MODEL,),
    ProblemCode.CONTEXT_OVERFLOW: ("ctrl+n new chat", _MODEL),
    ProblemCode.SESSION_DAMAGED: ("F3 sessions",),
}
"""Keys that help beside what the remedy says."""

QUEUED = "queued · sends when this answer ends"
HELD = "not sent yet · F9 sends it"
"""Of a message that was queued when its terminal died, or could not be saved when its turn came."""


def user_item(message: Message, note: str = "") -> UserItem:
    """Show a message of the user."""
    return UserItem(
        id=message.id,
        text=message.text,
        time=f"{message.created.astimezone():%H:%M}",
        note=note,
    )


def answer_item(message: Message, model: str = "", branch: str = "", *, newest: bool = True) -> AnswerItem:
    """Show an answer, in whatever state it is, under its `model`'s name; only the `newest` can be retried."""
    answer = message.answer or Answer(model="model", finish=FinishReason.STOP)
    return AnswerItem(
        id=message.id,
        model=model or answer.model,
        text=message.text,
        thinking=message.thinking,
        finish=answer.finish,
        problem=answer.problem,
        usage=answer.usage,
        timings=answer.timings,
        branch=branch,
        hint=_answer_hint(answer) if newest else "",
    )


def ended_early(message: Message) -> bool:
    """Tell whether this is an answer that is over and not complete."""
    answer = message.answer
    return answer is not None and answer.finish not in (None, FinishReason.STOP)


def _answer_hint(answer: Answer) -> str:
    if answer.finish in (None, FinishReason.STOP, FinishReason.LENGTH):
        return ""
    if answer.problem is None:
        return _RETRY
    return _remedy(answer.problem, _RETRY)


def _remedy(problem: Problem, *first: str) -> str:
    instead = _INSTEAD.get(problem.code)
    rest = instead or (problem.remedy, *_BESIDE.get(problem.code, ()))
    return " · ".join(part for part in (*first, *rest) if part)


def notice_item(id: str, problem: Problem) -> NoticeItem:
    """Show a problem that belongs to no answer: what happened and was kept; what to press."""
    text = " ".join(part for part in (problem.what, problem.kept) if part)
    return NoticeItem(id=id, text=text, hint=_remedy(problem), level=Level.ERROR)
