"""Every command there is: bindings, footer hints, help pages and palette all read this list."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.ui.command import Command, Place
from tui_chat.ui.keyboard.attaching import ATTACHING
from tui_chat.ui.keyboard.branches import BRANCHES
from tui_chat.ui.keyboard.chat import CHAT
from tui_chat.ui.keyboard.completing import COMPLETING
from tui_chat.ui.keyboard.context import CONTEXT
from tui_chat.ui.keyboard.lists import LISTS
from tui_chat.ui.keyboard.models import MODELS
from tui_chat.ui.keyboard.panels import PANELS
from tui_chat.ui.keyboard.presets import PRESETS
from tui_chat.ui.keyboard.reading import READING
from tui_chat.ui.keyboard.servers import SERVERS
from tui_chat.ui.keyboard.sessions import SESSIONS
from tui_chat.ui.keyboard.settings import SETTINGS
from tui_chat.ui.keyboard.terminal import TERMINAL
from tui_chat.ui.keyboard.themes import THEMES
from tui_chat.ui.keyboard.writing import WRITING

__all__ = ["COMMANDS", "Command", "Place", "commands"]

COMMANDS: tuple[Command, ...] = (
    *CHAT,
    *WRITING,
    *ATTACHING,
    *COMPLETING,
    *READING,
    *LISTS,
    *SESSIONS,
    *MODELS,
    *SERVERS,
    *BRANCHES,
    *CONTEXT,
    *PRESETS,
    *SETTINGS,
    *PANELS,
    *TERMINAL,
    *THEMES,
)
"""In the order in which help and footer show them."""


def commands(*places: Place) -> Iterator[Command]:
    """Yield the commands of `places`, in that order of places."""
    for place in places:
        yield from (c for c in COMMANDS if c.place is place)
