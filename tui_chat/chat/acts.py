"""What a person does to a conversation tree, as data; `chat.perform` carries it out."""

from __future__ import annotations

import msgspec

from tui_chat.chat.attachments import Attachment
from tui_chat.chat.model import Act, Message, Setup
from tui_chat.chat.policy import Cut, Policy
from tui_chat.chat.routing import Route


class Send(msgspec.Struct, frozen=True):
    """Say something at the end of the branch.

    Attributes:
        text: What is said.
        cut, summary: What is no longer sent from here on, and what is told instead.
        queued: The message, if it has waited for its turn.
        route: Which model answers, if a route chose it.
        attachments: What goes with it.
    """

    text: str
    cut: Cut | None = None
    summary: str = ""
    queued: Message | None = None
    route: Route | None = None
    attachments: tuple[Attachment, ...] = ()


class Edit(msgspec.Struct, frozen=True):
    """Say something else in the place of a message of the user; that one stays, as a sibling.

    `cut`, `summary`, `route` and `attachments` are as in `Send`.
    """

    id: str
    text: str
    cut: Cut | None = None
    summary: str = ""
    route: Route | None = None
    attachments: tuple[Attachment, ...] = ()


class EditAnswer(msgspec.Struct, frozen=True):
    """Put other words into a model's mouth; its own stay, as a sibling."""

    id: str
    text: str


class Regenerate(msgspec.Struct, frozen=True):
    """Have a question answered once more, by another `model` if one is named.

    `exactly` asks as it was asked the first time: with the same model, sampling and seed.
    """

    id: str
    model: str | None = None
    exactly: bool = False


class Compare(msgspec.Struct, frozen=True):
    """Have a question answered by several models, in this order."""

    id: str
    models: tuple[str, ...]


class Continue(msgspec.Struct, frozen=True):
    """Have an answer go on where it ended."""

    id: str


class Show(msgspec.Struct, frozen=True):
    """Go to the branch of a message, down to its end."""

    id: str


class Rewind(msgspec.Struct, frozen=True):
    """Go back to before a message of the user, whose text is to be written anew."""

    id: str


class Remove(msgspec.Struct, frozen=True):
    """Delete a message and all below it."""

    id: str


class Name(msgspec.Struct, frozen=True):
    """Give the branch on which a message is a name; none takes it away."""

    id: str
    name: str


class Pin(msgspec.Struct, frozen=True):
    """Have a message always be sent, or no longer."""

    id: str


class SetUp(msgspec.Struct, frozen=True):
    """Tell the model something else from here on; with `model` and `policy`, if given, from now on."""

    setup: Setup
    model: str | None = None
    policy: Policy | None = None


class SetPolicy(msgspec.Struct, frozen=True):
    """Choose what happens when the conversation outgrows its window."""

    policy: Policy


class SetFacts(msgspec.Struct, frozen=True):
    """Choose what the model is always told."""

    facts: tuple[str, ...]


class CutHere(msgspec.Struct, frozen=True):
    """Send no longer what stands above the end of the branch, but as `cut` and `summary` say."""

    cut: Cut
    summary: str = ""


class Restore(msgspec.Struct, frozen=True):
    """Send again what a cut took away."""

    id: str


class EditSummary(msgspec.Struct, frozen=True):
    """Change the summary that a cut left."""

    id: str
    text: str


class Undo(msgspec.Struct, frozen=True):
    """Take back what was done last."""


class Redo(msgspec.Struct, frozen=True):
    """Do again what was taken back last."""


Asking = Send | Edit | Regenerate | Compare | Continue
"""Acts that want an answer."""
Marking = EditAnswer | Show | Rewind | Remove | Name | Pin
"""Acts on messages that are there."""
Telling = SetUp | SetPolicy | SetFacts | CutHere | Restore | EditSummary
"""Acts that change what the model is told."""
Doing = Asking | Marking | Telling | Undo | Redo
"""Everything that can be done to a tree."""


class Effect(msgspec.Struct, frozen=True):
    """What came of an act.

    Attributes:
        act: What was done, or undone; None when there was nothing to do.
        answers: Places in the tree that wait for an answer, in the order of their asking.
        draft: Text to be written anew.
        attachments: What went with it.
    """

    act: Act | None = None
    answers: tuple[Message, ...] = ()
    draft: str = ""
    attachments: tuple[Attachment, ...] = ()


class ActError(ValueError):
    """The act does not fit what it is to be done to; the tree is as it was."""
