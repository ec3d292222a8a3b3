"""What a command is: one thing a person can do, as bindings, hints, help and palette need to know it."""

from __future__ import annotations

import enum

import msgspec


class Place(enum.Enum):
    """Where a command works; the value is its heading in the help."""

    EVERYWHERE = "Everywhere"
    CHAT = "In a chat"
    OFFERED = "Choosing what is offered while writing"
    INPUT = "Writing"
    EDITING = "Editing text"
    TRANSCRIPT = "Reading the conversation"
    FINDING = "Finding in the conversation"
    SELECTING = "Selecting text"
    LISTS = "In every list"
    DIALOG = "In questions and editors"
    PALETTE = "The list of commands"
    SESSIONS = "Sessions"
    TRASH = "The trash"
    SEARCH = "Find in all sessions"
    STATISTICS = "Statistics"
    MODELS = "Models"
    RESIDENTS = "Who holds what memory"
    SERVERS = "Servers"
    SERVED = "A server's models"
    COMPARE = "Other models for an answer"
    BRANCHES = "The branch map"
    CONTEXT = "The context"
    PRESETS = "Presets"
    BESIDE = "Two versions side by side"
    SETTINGS = "Settings"
    ATTACHMENTS = "What is attached"
    HISTORY = "What was sent before"
    PANELS = "Arranging the panels"
    THEMES = "Themes"


class Command(msgspec.Struct, frozen=True):
    """One thing a person can do.

    Attributes:
        id: Stable name for key maps, such as ``session.new``.
        keys: Textual key names, comma-separated, with spaces between keys pressed one after the other.
        action: Textual action it runs.
        title: What it does, in the imperative; palette and help show it.
        hint: One word for the footer; empty keeps it out.
        label: How hints write its keys, where the first of them alone would not do.
        priority: Whether its keys are seen before the focused widget's own.
        yields: Whether it is possible only at times, and its keys mean something else at others.
        over: Whether it is there over lists, too, by those of its keys that mean nothing else there.
    """

    id: str
    keys: str
    action: str
    title: str
    place: Place
    hint: str = ""
    priority: bool = False
    label: str = ""
    yields: bool = False
    over: bool = False


_FILTERED = frozenset(
    {Place.PALETTE, Place.SESSIONS, Place.TRASH, Place.SEARCH, Place.MODELS, Place.SERVED, Place.COMPARE}
) | {Place.PRESETS, Place.SETTINGS, Place.ATTACHMENTS, Place.HISTORY, Place.THEMES}
"""Lists that typing narrows."""

_LISTED = _FILTERED | {Place.RESIDENTS, Place.SERVERS, Place.BRANCHES, Place.CONTEXT}
_WRITING = frozenset({Place.INPUT, Place.EDITING, Place.FINDING, Place.OFFERED})
_ON_CHAT = _WRITING | {Place.TRANSCRIPT, Place.SELECTING, Place.PANELS}
_TYPED_IN = _FILTERED | _WRITING | {Place.DIALOG, Place.LISTS, Place.CHAT, Place.EVERYWHERE}


def takes_text(place: Place) -> bool:
    """Whether a letter pressed there may be text, so that it cannot be a command's key."""
    return place in _TYPED_IN


def around(place: Place) -> tuple[Place, ...]:
    """The places whose keys mean something in a place, too, after its own."""
    if place is Place.INPUT:
        return (Place.CHAT, Place.EVERYWHERE, Place.EDITING)
    if place in _ON_CHAT:
        return (Place.CHAT, Place.EVERYWHERE)
    return (Place.LISTS, Place.EVERYWHERE) if place in _LISTED else (Place.EVERYWHERE,)


def meet(one: Command, other: Command) -> bool:
    """Whether keys of both commands mean something at the same time."""
    if one.place is other.place:
        return True
    return any(
        upper.place in around(lower.place) and _claims(upper, lower.place)
        for upper, lower in ((one, other), (other, one))
    )


def reaches(command: Command, place: Place) -> bool:
    """Whether a command of the surroundings is there in a place: only some are over lists and questions."""
    return _claims(command, place) or gives_way(command, place)


def gives_way(command: Command, place: Place) -> bool:
    """Whether a command is there in a place by those of its keys only that mean nothing else there."""
    return command.over and place is not Place.DIALOG and not _claims(command, place)


def _claims(command: Command, place: Place) -> bool:
    on_chat = place in _ON_CHAT or place in (Place.CHAT, Place.EVERYWHERE)
    return command.place is not Place.EVERYWHERE or command.priority or on_chat
