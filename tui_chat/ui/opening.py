"""Which conversation to begin with, and what to do when it cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.model import Problem, ProblemCode

if TYPE_CHECKING:
    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace


class Opening(msgspec.Struct, frozen=True):
    """A new chat, the last session, or the one whose id or title (or a part of it) is `name`.

    `model` is the name of the model to answer with, or its path; None leaves the choice as it is.
    """

    last: bool = False
    name: str | None = None
    model: str | None = None


class Opened(msgspec.Struct, frozen=True):
    """A conversation to show, and why it is not the one asked for, if it is not.

    `choose` is a filter for the list of sessions when the name fits more than one.
    """

    conversation: Conversation
    problem: Problem | None = None
    choose: bool = False


async def open_conversation(workspace: Workspace, opening: Opening) -> Opened:
    """Open what was asked for; whatever goes wrong, a new chat is there instead."""
    opened = await _open(workspace, opening)
    if opening.model is None:
        return opened
    await opened.conversation.choose_model(await workspace.resolve_model(opening.model))
    return opened


async def _open(workspace: Workspace, opening: Opening) -> Opened:
    from tui_chat.store.errors import StoreError

    try:
        if opening.name == "":
            return Opened(await workspace.new_chat(), choose=True)
        if opening.name is not None:
            found = await _named(workspace, opening.name)
            if len(found) == 1:
                return Opened(await workspace.open(found[0]))
            what = f"{len(found) or 'No'} sessions are called {opening.name!r}."
            problem = Problem(ProblemCode.BAD_REQUEST, what, remedy="F3 lists all sessions.")
            return Opened(await workspace.new_chat(), problem, choose=True)
        if opening.last and (last := await workspace.last_session()) is not None:
            return Opened(await workspace.open(last))
    except StoreError as error:
        return Opened(await workspace.new_chat(), error.problem)
    return Opened(await workspace.new_chat())


async def _named(workspace: Workspace, name: str) -> list[str]:
    from tui_chat.store.listing import named

    return [summary.id for summary in named(await workspace.sessions(), name)]
