"""Messages and problems as the transcript shows them, with the keys that help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_chat.chat.context import Dropped
from tui_chat.chat.model import Answer, FinishReason, Message, Problem, ProblemCode, Sampling, Setup
from tui_chat.chat.policy import Cut, CutReason, PolicyKind
from tui_chat.ui import words
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.sentences import with_keys
from tui_chat.ui.transcript.items import AnswerItem, DividerItem, Level, NoticeItem, UserItem
from tui_chat.wire.words import rate

_RETRY = "{answer.retry:try again}"
_MODEL = "{models:another model}"
_SERVERS = "{servers:servers}"
_GO_ON = "{read} and {message.go_on} go on with it"

_INSTEAD: Mapping[ProblemCode, tuple[str, ...]] = {
    ProblemCode.NO_MODEL: ("{model.starter:get the starter model}", "{models:models}"),
    ProblemCode.MODEL_MISSING: (_MODEL,),
    ProblemCode.MODEL_INVALID: (_MODEL,),
    ProblemCode.MODEL_UNKNOWN: (_MODEL,),
    ProblemCode.SESSION_LOCKED: ("{session.fork:fork}",),
    ProblemCode.DOWNLOAD_FAILED: ("{model.starter:try again}",),
    ProblemCode.SESSION_MISSING: ("{sessions} lists all sessions",),
    ProblemCode.SUMMARY_FAILED: (_RETRY, "{context:another policy for the context}"),
    ProblemCode.SERVER_BUSY: (_MODEL,),
    ProblemCode.SERVER_UNKNOWN: (_SERVERS, _MODEL),
    ProblemCode.PICTURE_LEFT_OUT: ("{models:another model, to have it seen}",),
    ProblemCode.PICTURE_UNSEEN: (
        "{models:choose a model that can see}",
        "{attachments:take the picture out}",
    ),
}
"""Keys that do what the remedy says, and so stand in its place."""

_BESIDE: Mapping[ProblemCode, tuple[str, ...]] = {
    ProblemCode.OUT_OF_MEMORY: (_MODEL,),
    ProblemCode.LOAD_FAILED: (_MODEL,),
    ProblemCode.WORKER_DIED: (_MODEL,),
    ProblemCode.FELL_BACK: (_MODEL,),
    ProblemCode.CONTEXT_OVERFLOW: ("{context:context}", "{session.new:new chat}", _MODEL),
    ProblemCode.SESSION_DAMAGED: ("{sessions:sessions}",),
    ProblemCode.SERVER_UNREACHABLE: (_SERVERS, _MODEL),
    ProblemCode.SERVER_REFUSED: (_SERVERS, _MODEL),
    ProblemCode.SERVER_FAILED: (_MODEL,),
    ProblemCode.SERVER_STALLED: (_MODEL,),
    ProblemCode.SERVER_GARBLED: (_SERVERS, _MODEL),
    ProblemCode.UNSAFE_CONNECTION: (_MODEL,),
    ProblemCode.THEME_INVALID: ("{themes:themes}",),
    ProblemCode.PROMPT_CUT: (_MODEL, "{context:context}"),
}
"""Keys that help beside what the remedy says."""

_SENT = frozenset({ProblemCode.PICTURE_LEFT_OUT, ProblemCode.PICTURE_GONE})
"""What kept nothing from being answered."""

_SURELY_CUT = 0.5
"""A backend that read less than this part of an estimate has cut the conversation."""

_CAUSES_TOLD = 2
"""Likely causes that are told on an answer; all are in its record."""

QUEUED = "queued · sends when this answer ends"
CONDENSING = "queued · sends when what is dropped for it is condensed"
HELD = "not sent yet · {answer.retry} sends it"
"""Of a message that was queued when its terminal died, or could not be saved when its turn came."""
_CUT, _SUMMARY = "{tree.undo} sends them again", " · {message.edit} edits the summary"


def user_item(message: Message, note: str = "", branch: str = "") -> UserItem:
    """Show a message of the user."""
    return UserItem(
        id=message.id,
        text=message.text,
        attached=tuple(f"{each.label} · {words.about_attachment(each)}" for each in message.attachments),
        time=f"{message.created.astimezone():%H:%M}",
        note=note,
        branch=_marked(branch, message),
    )


def answer_item(
    message: Message,
    keymap: Keymap,
    model: str = "",
    branch: str = "",
    *,
    newest: bool = True,
    usual: Sampling | None = None,
) -> AnswerItem:
    """Show an answer, in whatever state it is, under its `model`'s name; only the `newest` can be retried.

    What it was drawn with is told where it is not as `usual`.
    """
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
        branch=_marked(branch, message),
        hint=_answer_hint(answer, keymap, said=bool(message.text)) if newest else "",
        note=" · ".join(
            filter(
                None, (answer.route, words.drawn(answer.sampling, usual), _unlike(answer), _slower(answer))
            )
        ),
    )


def cut_item(message: Message, keymap: Keymap, *, in_force: bool) -> DividerItem:
    """Show where a conversation was cut, why, and what brings it back."""
    cut = message.cut
    assert cut is not None
    hint = ""
    if in_force:
        hint = with_keys(_CUT + (_SUMMARY if message.text else ""), keymap)
    return DividerItem(
        id=message.id, text=_cut_text(cut, bool(message.text)), hint=hint, body=message.text, stop=in_force
    )


def setup_item(message: Message, before: Setup) -> DividerItem:
    """Show that the model is told something else from here on than it was `before`."""
    setup = message.setup
    assert setup is not None
    told = setup_words(setup)
    if (setup.system, setup.preset) == (before.system, before.preset):
        told = words.drawn(setup.sampling, before.sampling) or told
    return DividerItem(id=message.id, text=f"from here on: {told}")


def setup_words(setup: Setup) -> str:
    """Name what a model is told: the preset's name, or how the system prompt begins."""
    prompt = setup.system.strip().partition("\n")[0]
    return setup.preset or (f"“{prompt}”" if prompt else "no system prompt")


def dropping_item(dropped: Dropped, *, summarise: bool) -> DividerItem:
    """Show what will no longer be sent with the next message, before it is."""
    does = "will be condensed" if summarise else "will no longer be sent"
    text = f"with the next message, {_many(dropped.cut)} above {does}"
    return DividerItem(id="dropping", text=text)


def _cut_text(cut: Cut, condensed: bool) -> str:
    if condensed and cut.kind is PolicyKind.SUMMARISE:
        return f"{_many(cut)} above are condensed into this summary"
    start = "context reset here" if cut.kind is PolicyKind.RESET or cut.why is CutReason.HAND else ""
    kept = f"{_many(cut)} above are kept but no longer sent"
    return f"{start}: {kept}" if start else kept


def _many(cut: Cut) -> str:
    return f"{words.count(cut.messages, 'message')} ({words.tokens(cut)})"


def _marked(branch: str, message: Message) -> str:
    edited = message.answer is not None and message.answer.edited
    marks = (message.name, branch, "edited" if edited else "", "pinned" if message.pinned else "")
    return " · ".join(mark for mark in marks if mark)


def _unlike(answer: Answer) -> str:
    """What is to be said where a backend evaluated other tokens than we believed to send."""
    expected, read = answer.expected, answer.usage.prompt_tokens
    if expected is None or not read:
        return ""
    if read == expected.tokens or (not expected.exact and read > expected.tokens * _SURELY_CUT):
        return ""
    about = "" if expected.exact else "~"
    return f"the model read {read:,} tokens of {about}{expected.tokens:,} sent"


def _slower(answer: Answer) -> str:
    """What is to be said of an answer that came much slower than those before it."""
    slow = answer.flight.slow if answer.flight is not None else None
    if slow is None:
        return ""
    causes = ", ".join(slow.causes[:_CAUSES_TOLD])
    return f"slower than usual ({rate(slow.usual_tps)})" + (f": {causes}" if causes else "")


def ended_early(message: Message) -> bool:
    """Tell whether this is an answer that is over and not complete."""
    answer = message.answer
    return answer is not None and answer.finish not in (None, FinishReason.STOP)


def _answer_hint(answer: Answer, keymap: Keymap, *, said: bool) -> str:
    """What to press under an answer; `said` is whether there is something to go on from."""
    problem = answer.problem
    retry = () if answer.finish in (None, FinishReason.STOP, FinishReason.LENGTH) else (_RETRY,)
    if problem is None:
        return _hints(keymap, retry)
    if said and problem.code is ProblemCode.STREAM_BROKEN:
        return _hints(keymap, (_GO_ON, *retry, _MODEL))
    if said and problem.code is ProblemCode.SERVER_STALLED:
        retry = (_GO_ON, *retry)
    return _remedy(problem, keymap, *retry)


def _remedy(problem: Problem, keymap: Keymap, *first: str) -> str:
    instead = _INSTEAD.get(problem.code)
    words = "" if instead else problem.remedy
    keys = instead or _BESIDE.get(problem.code, ())
    return " · ".join(filter(None, (_hints(keymap, first), words, _hints(keymap, keys))))


def _hints(keymap: Keymap, hints: Sequence[str]) -> str:
    return " · ".join(with_keys(hint, keymap) for hint in hints)


def notice_item(id: str, problem: Problem, keymap: Keymap) -> NoticeItem:
    """Show a problem that belongs to no answer: what happened and was kept; what to press."""
    text = " ".join(part for part in (problem.what, problem.kept) if part)
    level = Level.WARNING if problem.code in _SENT else Level.ERROR
    return NoticeItem(id=id, text=text, hint=_remedy(problem, keymap), level=level)
