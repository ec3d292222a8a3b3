"""What of a branch a model is sent: text as turns, and the pictures that are there and that it can see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui_chat.chat.compose import Line, write_branch
from tui_chat.chat.pictures import names_of, without
from tui_chat.client.problems import blind
from tui_chat.store.pictures import PictureGoneError
from tui_chat.wire.api import ModelInfo, Turn
from tui_chat.wire.pictures import Picture

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment, PictureRef
    from tui_chat.chat.model import Message, Problem, Session
    from tui_chat.client.workspace import Workspace
    from tui_chat.store.pictures import Pictures

NOT_SHOWN = "not shown to this model"
GONE = "which is gone"


class LaidOut(NamedTuple):
    """What is sent.

    Attributes:
        turns: As they go over the wire.
        unseen: Names of pictures that the model cannot see.
        gone: The same of those whose bytes are gone, each with the reason.
    """

    turns: tuple[Turn, ...]
    unseen: tuple[str, ...] = ()
    gone: tuple[tuple[str, str], ...] = ()


def can_see(model: ModelInfo | None, id: str | None) -> bool:
    """Whether a model may be shown pictures; one of which nothing is known may: whoever runs it says no."""
    return model.sees if model is not None else not (id or "").startswith("/")


async def blindness(
    workspace: Workspace, id: str | None, attachments: Sequence[Attachment], *, waits: bool = False
) -> Problem | None:
    """Say why a message with these attachments cannot go to a model, if it cannot see what is among them.

    Args:
        workspace: Knows the models.
        id: Of the model.
        attachments: What goes with the message.
        waits: Whether the message is in the queue, and not in the input.
    """
    names = [each.label for each in attachments if each.picture is not None]
    model = await workspace.model(id) if names else None
    if not names or can_see(model, id):
        return None
    seeing = [each.id for each in await workspace.models() if each.sees]
    return blind(names, id or "", seeing, _why_blind(model), waits=waits)


def _why_blind(model: ModelInfo | None) -> str:
    if model is not None and model.server:
        return "it cannot see pictures"
    if model is not None and model.projector:
        return "its projector is left out, and its details say why"
    return "no projector (mmproj) for it lies beside its file"


def seen_by(branch: Sequence[Message], *, sees: bool) -> Sequence[Message]:
    """Return `branch` as a model reads it, which sees pictures or does not."""
    return branch if sees else without(branch, lambda _: True, NOT_SHOWN)


async def lay_out(session: Session, branch: Sequence[Message], pictures: Pictures, *, sees: bool) -> LaidOut:
    """Return what is sent for an answer to `branch`, with the bytes of what is to be seen."""
    lines = write_branch(session, branch).lines
    wanted = {ref for line in lines for ref in line.pictures}
    if not wanted:
        return LaidOut(turns_of(lines))
    if not sees:
        blind = write_branch(session, seen_by(branch, sees=False)).lines
        return LaidOut(turns_of(blind), unseen=tuple(names_of(branch, wanted)))
    there, gone = await asyncio.to_thread(_read, pictures, wanted)
    if gone:
        lines = write_branch(session, without(branch, lambda ref: ref in gone, GONE)).lines
    told = ((name, why) for ref, why in gone.items() for name in names_of(branch, (ref,)))
    return LaidOut(turns_of(lines, there), gone=tuple(told))


def _read(
    pictures: Pictures, wanted: Iterable[PictureRef]
) -> tuple[dict[PictureRef, Picture], dict[PictureRef, str]]:
    there: dict[PictureRef, Picture] = {}
    gone: dict[PictureRef, str] = {}
    for ref in wanted:
        try:
            there[ref] = Picture(ref.media_type, pictures.get(ref))
        except PictureGoneError as error:
            gone[ref] = str(error)
    return there, gone


def turns_of(lines: Sequence[Line], pictures: Mapping[PictureRef, Picture] | None = None) -> tuple[Turn, ...]:
    """Lines as they go over the wire; without `pictures`, only what is read goes."""
    there = pictures or {}
    return tuple(
        Turn(each.role, each.text, each.thinking, tuple(there[ref] for ref in each.pictures if ref in there))
        for each in lines
    )


def lines_of(turns: Sequence[Turn]) -> tuple[Line, ...]:
    """What came over the wire, as lines, of what is read alone."""
    return tuple(Line(turn.role, turn.text, turn.thinking) for turn in turns)
