"""What sending a message will take of its model's context, found out before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.compose import NothingToAnswerError, compose_branch
from tui_chat.chat.context import Outcome, Room, decide
from tui_chat.chat.measure import kept_for_answer, most_tokens
from tui_chat.chat.model import Message, Problem, ProblemCode, Session
from tui_chat.chat.policy import PolicyKind
from tui_chat.chat.routing import Route
from tui_chat.client.errors import EngineError
from tui_chat.client.turns import seen_by
from tui_chat.wire.api import LoadRequest, ModelInfo, Need, PlanRequest
from tui_chat.wire.plan import Plan

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace

_MOST_RESERVED = 4
"""No more than this part of a small window is kept for the answer."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a message needs, what is dropped for it, and how its model would serve it.

    Attributes:
        model: As the engine holds it, or as it is on disk.
        outcome: What it takes of the window, and what the policy of the session drops for that.
        plan: What it takes of the memory; None where it surely fits into what the model has.
        now: Tokens of context that the model has; 0 when it is not in memory.
        alone: Whether it would be too long even without all that stands above it.
        route: Why this model is to answer, if a route chose it.
    """

    model: ModelInfo
    outcome: Outcome
    plan: Plan | None = None
    now: int = 0
    alone: bool = False
    route: Route | None = None

    @property
    def need(self) -> Need:
        """What the context must hold for it."""
        then = self.outcome.then
        return Need(then.size.tokens, then.room.reserve, counted=then.size.exact)

    @property
    def grows(self) -> bool:
        """Whether a model in memory gets a longer context, or another one, for it."""
        return self.fits and self.plan is not None and 0 < self.now < self.plan.options.context

    @property
    def fits(self) -> bool:
        """Whether it can be answered at all."""
        return not self._too_long and (self.plan is None or self.plan.fits)

    @property
    def _too_long(self) -> bool:
        """Whether it is more than the window can hold, and that is certain."""
        return not self.outcome.fits and self.need.counted

    @property
    def refusal(self) -> Problem | None:
        """Why it is better not sent; None if it may be."""
        if self.fits:
            return None
        about = "" if self.need.counted else "about "
        length = f"With this message the conversation has {about}{self.need.prompt:,} tokens"
        if not self._too_long:
            assert self.plan is not None, "only a plan says that there is no memory"
            return Problem(
                ProblemCode.OUT_OF_MEMORY,
                f"{length}, and there is no memory for {self.model.id} to read that many. {self.plan.reason}",
                kept="Nothing was sent or unloaded; your text is still in the input.",
                remedy=" ".join(self.plan.alternatives) or "Shorten the message, or unload other models.",
            )
        room = self.outcome.then.room
        return Problem(
            ProblemCode.CONTEXT_OVERFLOW,
            f"{length}, and {self.model.id} reads no more than {room.window:,}, of which {room.reserve:,} are"
            " kept for the answer.",
            kept="Nothing was sent; your text is still in the input.",
            remedy="Shorten the message."
            if self.alone or self.outcome.dropped is not None
            else "Shorten the message, or have earlier ones dropped or summarised.",
        )


def room_of(session: Session, model: ModelInfo, wanted: LoadRequest | None = None) -> Room:
    """The window of a session's model, as far as model, policy and person limit it, and what is reserved."""
    limits = (model.trained_context, session.policy.window, wanted.context if wanted else None)
    window = min((limit for limit in limits if limit), default=model.context or 4096)
    reserve = session.policy.reserve or kept_for_answer(session.sampling.max_tokens)
    return Room(window, min(reserve, window // _MOST_RESERVED))


async def foresee(
    workspace: Workspace,
    session: Session,
    branch: Sequence[Message],
    wanted: LoadRequest | None = None,
) -> Outlook | None:
    """Find out what the answer to `branch`, which ends in a question, would take.

    Returns:
        None where nobody can tell.
    """
    resident, model = workspace.resident(session.model), await workspace.model(session.model)
    if model is None or session.model is None:
        return None
    room, ruler = room_of(session, model, wanted), workspace.tokens.ruler(session.model)
    now, branch = resident.context if resident else 0, seen_by(branch, sees=model.sees)
    try:
        lines = compose_branch(session, branch).lines
        most = most_tokens(line.text + line.thinking for line in lines)
        if most > room.prompt * min(session.policy.fill, 0.5) or (now and most + room.reserve > now):
            await workspace.tokens.learn(session.model, lines, start=True)
        alone = ruler.size(lines[-1:]).tokens > room.prompt
        outcome = decide(session, branch, ruler, room)
        if outcome.dropped is not None and not outcome.then.size.exact:
            shorter = compose_branch(session, branch, outcome.dropped.begin).lines
            if await workspace.tokens.learn(session.model, shorter):
                outcome = decide(session, branch, ruler, room)
        outlook = Outlook(model=model, outcome=outcome, now=now, alone=alone)
        if outlook.need.total <= (now or workspace.settings.models.context) or not outlook.outcome.fits:
            return outlook
        plan = await _plan(workspace, model.id, outlook.need.total)
        if plan is not None and not plan.fits and session.policy.kind is not PolicyKind.FULL:
            less = Room(await _possible(workspace, model, now), room.reserve)
            within = decide(session, branch, ruler, less)
            if within.fits:
                return Outlook(model=model, outcome=within, now=now)
    except NothingToAnswerError:
        return None  # sending says what is wrong
    return msgspec.structs.replace(outlook, plan=plan)


async def _plan(workspace: Workspace, model: str, need: int) -> Plan | None:
    try:
        reply = await workspace.plan(PlanRequest((model,), need=need, turns=()))
    except EngineError:
        return None
    return reply.plans.get(model)


async def _possible(workspace: Workspace, model: ModelInfo, now: int) -> int:
    """How long a context there is memory for: the one there is, or the one that it would be loaded with."""
    if now:
        return now
    plan = await _plan(workspace, model.id, 0)
    return plan.options.context if plan is not None and plan.fits else 0
