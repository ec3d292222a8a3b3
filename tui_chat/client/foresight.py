"""What sending a message will take of its model's context, found out before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.compose import NothingToAnswerError, compose
from tui_chat.chat.measure import kept_for_answer, most_tokens
from tui_chat.chat.model import Message, Problem, ProblemCode
from tui_chat.chat.tree import ChatTree
from tui_chat.client.errors import EngineError
from tui_chat.wire.api import ModelInfo, Need, PlanRequest, Turn
from tui_chat.wire.plan import Plan

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a message needs, and how its model would serve that.

    Attributes:
        model: As the engine holds it, or as it is on disk.
        now: Tokens of context that the model has; 0 when it is not in memory.
    """

    model: ModelInfo
    need: Need
    plan: Plan
    now: int

    @property
    def grows(self) -> bool:
        """Whether a model in memory gets a longer context, or another one, for it."""
        return self.fits and 0 < self.now < self.plan.options.context

    @property
    def fits(self) -> bool:
        """Whether it can be answered at all."""
        return self.plan.fits and not self._too_long

    @property
    def _too_long(self) -> bool:
        """Whether the prompt alone is more than the model can ever read, and that is certain."""
        trained = self.model.trained_context
        return self.need.counted and bool(trained) and self.need.prompt >= trained

    @property
    def refusal(self) -> Problem | None:
        """Why it is better not sent; None if it may be."""
        if self.fits:
            return None
        about = "" if self.need.counted else "about "
        length = f"With this message the conversation has {about}{self.need.prompt:,} tokens"
        if self._too_long:
            return Problem(
                ProblemCode.CONTEXT_OVERFLOW,
                f"{length}, and {self.model.id} reads no more than {self.model.trained_context:,}.",
                kept="Nothing was sent; your text is still in the input.",
                remedy="Shorten the message.",
            )
        return Problem(
            ProblemCode.OUT_OF_MEMORY,
            f"{length}, and there is no memory for {self.model.id} to read that many. {self.plan.reason}",
            kept="Nothing was sent or unloaded; your text is still in the input.",
            remedy=" ".join(self.plan.alternatives) or "Shorten the message, or unload other models.",
        )


async def foresee(workspace: Workspace, tree: ChatTree, asked: Message) -> Outlook | None:
    """Find out what the answer to `asked`, put at the end of `tree`, would take.

    Returns:
        None where it is certain to fit into the context there is, and where nobody can tell.
    """
    limit = tree.session.sampling.max_tokens
    resident = _resident(workspace, tree.session.model)
    room = resident.context if resident else workspace.settings.models.context
    texts = [message.text for message in (*tree.path(), asked)]
    if most_tokens(texts) + kept_for_answer(limit) <= room:
        return None
    whole = ChatTree(tree.session)
    whole.add(asked)
    try:
        turns = tuple(Turn(line.role, line.text) for line in compose(whole, asked.id).lines)
        model = resident or await _on_disk(workspace, tree.session.model)
        if model is None:
            return None
        reply = await workspace.plan(PlanRequest((model.id,), turns=turns, max_tokens=limit))
    except (EngineError, NothingToAnswerError):
        return None  # sending says what is wrong
    plan, need = reply.plans.get(model.id), reply.needs.get(model.id)
    if plan is None or need is None:
        return None
    return Outlook(model=model, need=need, plan=plan, now=resident.context if resident else 0)


def _resident(workspace: Workspace, id: str | None) -> ModelInfo | None:
    residents = workspace.engine.residents if workspace.engine else ()
    return next((m for m in residents if m.state.in_memory and id in (m.id, m.path)), None)


async def _on_disk(workspace: Workspace, id: str | None) -> ModelInfo | None:
    return next((m for m in await workspace.models() if id in (m.id, m.path)), None)
