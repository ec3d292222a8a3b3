"""Where a command finds chats, which one a name means, and how things are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from tui_chat.chat.export.outline import line_of
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.cli.settings import load
from tui_chat.config.paths import Paths
from tui_chat.store.errors import StoreError
from tui_chat.store.listing import SessionSummary, named
from tui_chat.store.sessions import SessionStore

_SHOWN = 5
"""Sessions that a message names at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """The chats that a command works on."""

    store: SessionStore
    paths: Paths


def open_place(folder: Path | None) -> Place:
    """Return the chats in `folder`, or those of the settings."""
    paths, settings = load()
    folder = folder or paths.sessions
    store = SessionStore(folder, trash_days=settings.sessions.trash_days, drafts=paths.drafts)
    return Place(store, paths)


def the_one(sessions: Sequence[SessionSummary], name: str, where: str) -> SessionSummary:
    """Return the session that `name` means.

    Raises:
        StoreError: It means none of `sessions`, which are `where` (such as "in the trash"), or several.
    """
    found = named(sessions, name)
    if len(found) == 1:
        return found[0]
    if not found:
        what = f"No chat {where} is called “{name}”."
        remedy = (
            "List them: tui-chat sessions trash"
            if "trash" in where
            else "List them: tui-chat sessions list --all"
        )
        raise StoreError(Problem(ProblemCode.SESSION_MISSING, what, remedy=f"{remedy}."))
    shown = ", ".join(f"{each.id} ({title_of(each)})" for each in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    what = f"{len(found)} chats {where} may be meant by “{name}”: {shown}{more}."
    raise StoreError(Problem(ProblemCode.BAD_REQUEST, what, remedy="Give the id."))


def any_session(place: Place, name: str) -> SessionSummary:
    """Return the session in use, or archived, that `name` means. Raises `StoreError` as `the_one`."""
    return the_one(place.store.list(archived=None), name, f"in {place.store.folder}")


def title_of(summary: SessionSummary) -> str:
    """Return what a session is called by people: its title, or how it begins."""
    return line_of(summary.title or summary.preview) or "untitled"


def as_json(value: Any) -> str:
    """Return `value` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()


def local(moment: datetime) -> str:
    """Write a time to the minute, as clocks here show it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def shortened(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def count(number: int, what: str) -> str:
    """Write a number of things: ``1 message``, ``1,200 messages``, ``3 branches``."""
    ending = "" if number == 1 else "es" if what.endswith("ch") else "s"
    return f"{number:,} {what}{ending}"
