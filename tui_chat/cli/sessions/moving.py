"""`tui-chat sessions show|export|import`: chats as documents, and from other programs."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.chat.export.document import Form, to_document
from tui_chat.chat.importing.read import LARGEST, read_sessions
from tui_chat.chat.model import Problem, ProblemCode, Session
from tui_chat.cli.sessions.place import Place, any_session, as_json, count
from tui_chat.store.documents import read_document, write_document
from tui_chat.store.errors import StoreError
from tui_chat.store.pictures import look_for
from tui_chat.store.upgrades import lift

_FORMATS = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html", ".json": "json"}


def show(args: argparse.Namespace, place: Place) -> None:
    """Print a chat as Markdown."""
    session = place.store.read(any_session(place, args.name).id)
    print(_document(session, "md", args, place), end="")


def export(args: argparse.Namespace, place: Place) -> None:
    """Write a chat to a file, or print it."""
    output: Path | None = args.output
    form = args.format or (_FORMATS.get(output.suffix.lower()) if output else "md")
    if form is None:
        raise _refused(f"The format of {output} is not known.", "Add --format md, html or json.")
    if output is not None and output.exists() and not args.force:
        raise _refused(f"{output} exists already.", "Choose another name, or add --force.")
    session = place.store.read(any_session(place, args.name).id)
    text = _document(session, form, args, place)
    if output is None:
        print(text, end="")
        return
    write_document(output, text, overwrite=args.force)
    print(f"Wrote {output}.")


def _document(session: Session, form: str, args: argparse.Namespace, place: Place) -> str:
    look = look_for(place.store.pictures)
    return to_document(session, Form(form), whole=args.tree, thinking=args.thinking, look=look)


def import_files(args: argparse.Namespace, place: Place) -> None:
    """Add the chats in files; every file is read before any chat is added."""
    now = datetime.now(UTC)
    read = [
        session for name in args.files for session in read_sessions(_bytes(name), _called(name), now, lift)
    ]
    for session in read:  # each is told when it is there, which of thousands takes a while
        place.store.create(session).close()
        if not args.json:
            told = f"{session.id}  {count(len(session.messages), 'message')}  {session.title}"
            print(told, flush=sys.stdout.isatty())
    if args.json:
        print(as_json([{"id": s.id, "title": s.title, "messages": len(s.messages)} for s in read]))


def _bytes(name: str) -> bytes:
    """Read a file, but not more of it than is needed to see that it is too large."""
    return sys.stdin.buffer.read(LARGEST + 1) if name == "-" else read_document(Path(name), LARGEST)


def _called(name: str) -> str:
    return "standard input" if name == "-" else name


def _refused(what: str, remedy: str) -> StoreError:
    return StoreError(Problem(ProblemCode.BAD_REQUEST, what, kept="Nothing was written.", remedy=remedy))
