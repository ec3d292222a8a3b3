"""`tui-chat sessions tag|archive|unarchive|delete|restore|purge`: putting chats where they belong."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from tui_chat.chat.tags import tidy_tags
from tui_chat.cli.confirming import declined
from tui_chat.cli.sessions.place import Place, any_session, as_json, local, the_one, title_of
from tui_chat.store.listing import SessionSummary


def tag(args: argparse.Namespace, place: Place) -> None:
    """Add and take away tags of a chat; say which it has."""
    summary = any_session(place, args.name)
    unwanted = {each.casefold() for each in tidy_tags(args.remove)}
    tags = tuple(each for each in tidy_tags((*summary.tags, *args.tags)) if each.casefold() not in unwanted)
    if tags != summary.tags:
        tags = place.store.tag(summary.id, tags)
    if args.json:
        print(as_json({"id": summary.id, "tags": tags}))
    else:
        print(f"{title_of(summary)}: {', '.join(tags) or 'no tags'}")


def archive(args: argparse.Namespace, place: Place) -> None:
    """Take chats out of the list."""
    for each in _all_named(args, lambda name: any_session(place, name)):
        place.store.archive(each.id)
        print(f"Archived {title_of(each)}. Undo: tui-chat sessions unarchive {each.id}")


def unarchive(args: argparse.Namespace, place: Place) -> None:
    """Put archived chats back into the list."""
    archived = place.store.list(archived=True)
    for each in _all_named(args, lambda name: the_one(archived, name, "in the archive")):
        place.store.unarchive(each.id)
        print(f"{title_of(each)} is back in the list.")


def delete(args: argparse.Namespace, place: Place) -> None:
    """Move chats to the trash."""
    for each in _all_named(args, lambda name: any_session(place, name)):
        trashed = place.store.delete(each.id)
        goes = next((t.goes for t in place.store.trashed() if t.summary.id == trashed), None)
        until = f" until {local(goes)}" if goes else ""
        print(f"{title_of(each)} is in the trash{until}. Undo: tui-chat sessions restore {trashed}")


def restore(args: argparse.Namespace, place: Place) -> None:
    """Take chats out of the trash."""
    for each in _all_trashed(args, place):
        print(f"{title_of(each)} is back, as {place.store.restore(each.id)}.")


def purge(args: argparse.Namespace, place: Place) -> int:
    """Delete chats of the trash for good, once somebody has said that it is meant."""
    found = _all_trashed(args, place)
    titles = ", ".join(map(title_of, found))
    if refused := declined(titles, "Nothing brings that back.", asked=args.yes):
        return refused
    place.store.purge(*(each.id for each in found))
    for each in found:
        print(f"{title_of(each)} is gone for good.")
    return 0


def _all_trashed(args: argparse.Namespace, place: Place) -> list[SessionSummary]:
    deleted = [each.summary for each in place.store.trashed()]
    return _all_named(args, lambda name: the_one(deleted, name, "in the trash"))


def _all_named(args: argparse.Namespace, find: Callable[[str], SessionSummary]) -> list[SessionSummary]:
    """Return what the names mean, each once; all are found before anything is done to one."""
    found = [find(name) for name in args.names]
    return list({each.id: each for each in found}.values())
