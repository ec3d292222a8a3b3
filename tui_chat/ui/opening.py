"""Which conversation to begin with, and what to do when it cannot be had."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.chat.model import Problem, ProblemCode

if TYPE_CHECKING:
    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Opening:
    """A new chat, the last session, or the one whose id or title (or a part of it) is `name`.

    `model` is the name of the model to answer with, or its path; None leaves the choice as it is.
    """

    last: bool = False
    name: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
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
    await opened.conversation.choose_model(await _model_id(workspace, opening.model))
    return opened


async def _model_id(workspace: Workspace, wanted: str) -> str:
    """Complete the name of a model if it can mean only one; else leave it to the engine to explain."""
    path = await asyncio.to_thread(_file, wanted)
    if path is not None:
        return path
    known = [model.id for model in await workspace.models()]
    meant = [name for name in known if wanted.casefold() in name.casefold()]
    return meant[0] if wanted not in known and len(meant) == 1 else wanted


def _file(wanted: str) -> str | None:
    path = Path(wanted).expanduser().absolute()
    return str(path) if path.is_file() else None


async def _open(workspace: Workspace, opening: Opening) -> Opened:
    from tui_chat.store.errors import StoreError

    try:
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
    """Find sessions by id, else by title, else by a part of the title; empty names ask for the list."""
    if not name:
        return []
    sessions = [s for s in await workspace.sessions() if s.problem is None]
    wanted = name.casefold()
    exact = [s.id for s in sessions if s.id == name or s.title.casefold() == wanted]
    return exact or [s.id for s in sessions if wanted in s.title.casefold() or s.id.startswith(name)]
