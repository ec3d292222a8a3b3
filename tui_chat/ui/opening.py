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

    Attributes:
        model: The name of the model to answer with, or its path; None leaves the choice as it is.
        preset: The name of the preset to apply; None takes the settings' one for a new chat.
        ephemeral: Whether nothing of a new chat is kept.
    """

    last: bool = False
    name: str | None = None
    model: str | None = None
    preset: str | None = None
    ephemeral: bool = False


class Opened(msgspec.Struct, frozen=True):
    """A conversation to show, and why it is not the one asked for, if it is not.

    Attributes:
        choose: Whether the person is to choose from the list of sessions.
        notes: What else is wrong, with a conversation that is the right one.
    """

    conversation: Conversation
    problem: Problem | None = None
    choose: bool = False
    notes: tuple[Problem, ...] = ()


async def open_conversation(workspace: Workspace, opening: Opening) -> Opened:
    """Open what was asked for; whatever goes wrong, a new chat is there instead, with the usual model."""
    opened = await _open(workspace, opening)
    if opening.model is None:
        return opened
    found = await workspace.find_model(opening.model)
    if isinstance(found, Problem):
        return msgspec.structs.replace(opened, notes=(*opened.notes, found))
    await opened.conversation.choose_model(found)
    return opened


async def _open(workspace: Workspace, opening: Opening) -> Opened:
    from tui_chat.store.errors import StoreError

    try:
        if opening.name == "":
            return await _new(workspace, opening, choose=True)
        if opening.name is not None:
            found = await _named(workspace, opening.name)
            if len(found) == 1:
                return await _old(workspace, opening, found[0])
            what = f"{len(found) or 'No'} sessions are called {opening.name!r}."
            problem = Problem(
                ProblemCode.SESSION_MISSING, what, remedy="Choose one from the list of sessions."
            )
            return await _new(workspace, opening, problem, choose=True)
        if opening.last and (last := await workspace.last_session()) is not None:
            return await _old(workspace, opening, last)
    except StoreError as error:
        return await _new(workspace, opening, error.problem)
    return await _new(workspace, opening)


async def _new(
    workspace: Workspace, opening: Opening, problem: Problem | None = None, *, choose: bool = False
) -> Opened:
    """Begin a new chat; a preset that is not there, or not whole, is said and does not stop it."""
    from tui_chat.client.presets import applying_named

    wanted = opening.preset or workspace.settings.chat.preset
    told, wrong = await applying_named(workspace, wanted) if wanted else (None, None)
    chat = await workspace.new_chat(told, ephemeral=opening.ephemeral)
    return Opened(chat, problem, choose, (wrong,) if wrong is not None else ())


async def _old(workspace: Workspace, opening: Opening, id: str) -> Opened:
    """Open a session; a preset that was asked for holds from here on. Raises `StoreError`."""
    from tui_chat.client.presets import applying_named

    conversation = await workspace.open(id)
    if opening.preset is None:
        return Opened(conversation)
    told, wrong = await applying_named(workspace, opening.preset)
    if told is not None:
        await conversation.do(told)
    return Opened(conversation, notes=(wrong,) if wrong is not None else ())


async def _named(workspace: Workspace, name: str) -> list[str]:
    from tui_chat.store.listing import named

    return [summary.id for summary in named(await workspace.sessions(), name)]
