"""Where a message goes in a chat that is routed, with what it would cost to go there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.model import Message, Session
from tui_chat.chat.routing import Route, Why, route
from tui_chat.chat.setups import setup_on
from tui_chat.client.errors import EngineError
from tui_chat.wire.api import PlanRequest
from tui_chat.wire.plan import Plan

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace


async def find_route(
    workspace: Workspace,
    session: Session,
    branch: Sequence[Message],
    text: str,
    *,
    attached: str = "",
    shows: bool = False,
) -> Route | None:
    """Where `text`, said below `branch` with the texts `attached`, goes; it `shows` a picture, or does not.

    One that does goes to a model that can see, unless another was asked for by its word. Else a route that
    nobody asked for does not have another model unloaded, nor has one wait long for a load: then what is in
    memory answers.

    Returns:
        None where the chat is not routed, or no route is for it.
    """
    routes = workspace.settings.routes
    if not session.routed:
        return None
    found = route(routes, text, setup_on(session, branch).preset, attached)
    if found is None:
        return None
    model = await workspace.resolve_model(found.model)
    found = msgspec.structs.replace(found, model=model)
    if shows and found.why is not Why.ASKED:
        for name in dict.fromkeys((model, session.model, *routes.models)):
            if name is not None and await _sees(workspace, other := await workspace.resolve_model(name)):
                return found if other == model else Route(other, Why.PICTURE, text)
    if found.why in (Why.ASKED, Why.PRESET) or workspace.resident(model) is not None:
        return found
    instead = await _in_memory(workspace, session)
    if instead is None:
        return found
    cost = _cost(await _plan(workspace, model), routes.patience_s)
    return Route(instead, Why.STAYS, text, kept_from=model, cost=cost) if cost else found


async def _sees(workspace: Workspace, id: str) -> bool:
    model = await workspace.model(id)
    return model is not None and model.sees


async def _in_memory(workspace: Workspace, session: Session) -> str | None:
    """A model that could answer at once: this chat's, else another that there is a route to."""
    if session.model is not None and workspace.resident(session.model) is not None:
        return session.model
    for name in workspace.settings.routes.models:
        if (there := workspace.resident(await workspace.resolve_model(name))) is not None:
            return there.id
    return None


async def _plan(workspace: Workspace, model: str) -> Plan | None:
    try:
        return (await workspace.plan(PlanRequest((model,)))).plans.get(model)
    except EngineError:
        return None


def _cost(plan: Plan | None, patience_s: float) -> str:
    """What speaks against loading a model unasked; empty if nothing does."""
    if plan is None:
        return ""
    if not plan.fits:
        return "it does not fit"
    if plan.evicts:
        return f"it would unload {' and '.join(plan.evicts)}"
    if plan.load_s is not None and plan.load_s > patience_s:
        return f"it takes {plan.load_s:.0f} s to load"
    return ""
