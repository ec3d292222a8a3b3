"""What a command is: one thing a person can do, as bindings, hints, help and palette need to know it."""

from __future__ import annotations

import enum

import msgspec


class Place(enum.Enum):
    """Where a command works; the value is its heading in the help."""

    EVERYWHERE = "Everywhere"
    CHAT = "In a chat"
    INPUT = "Writing"
    TRANSCRIPT = "Reading the conversation"
    FINDING = "Finding in the conversation"
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
    PANELS = "Arranging the panels"
    THEMES = "Themes"


class Handled(enum.Enum):
    """Who reacts to the keys of a command."""

    BINDING = "binding"
    """A Textual binding, made from this list; it can be given other keys by its id."""
    WIDGET = "widget"
    """The focused widget itself; listed so that the help is complete."""


class Command(msgspec.Struct, frozen=True):
    """One thing a person can do.

    Attributes:
        id: Stable name for key maps, such as ``session.new``.
        keys: Textual key names, comma-separated; empty when it is only in the palette.
        action: Textual action it runs.
        title: What it does, in the imperative; palette and help show it.
        hint: One word for the footer; empty keeps it out.
        palette: Whether the palette lists it.
        label: How hints write its keys, where the first of them alone would not do.
        priority: Whether its keys are seen before the focused widget's own.
    """

    id: str
    keys: str
    action: str
    title: str
    place: Place
    hint: str = ""
    palette: bool = False
    priority: bool = False
    handled: Handled = Handled.BINDING
    label: str = ""


def own(id: str, keys: str, title: str, place: Place, hint: str = "") -> Command:
    """A command that the focused widget itself reacts to."""
    return Command(id, keys, "", title, place, hint, handled=Handled.WIDGET)
