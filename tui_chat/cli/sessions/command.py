"""`tui-chat sessions VERB`: its arguments, and which function carries a verb out."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

_VERBS = {
    "list": ("looking", "list_sessions"),
    "search": ("looking", "search"),
    "stats": ("looking", "stats"),
    "trash": ("looking", "trash"),
    "show": ("moving", "show"),
    "export": ("moving", "export"),
    "import": ("moving", "import_files"),
    "tag": ("sorting", "tag"),
    "archive": ("sorting", "archive"),
    "unarchive": ("sorting", "unarchive"),
    "delete": ("sorting", "delete"),
    "restore": ("sorting", "restore"),
    "purge": ("sorting", "purge"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--sessions", type=Path, metavar="DIR", help="use the chats in DIR")
    json = argparse.ArgumentParser(add_help=False, parents=[common])
    json.add_argument("--json", action="store_true", help="print JSON instead of lines")

    def verb(name: str, about: str, base: argparse.ArgumentParser = common) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=about, description=about, parents=[base], allow_abbrev=False)

    _add_looking(verb("list", "list chats, newest first", json), verb("search", "find messages", json))
    _named(verb("stats", "tell what a chat has cost, and how quick its models were", json))
    verb("trash", "list deleted chats, and when each goes for good", json)
    show = verb("show", "print a chat as Markdown")
    export = verb("export", "write a chat as Markdown, HTML or JSON")
    for parser_ in (show, export):
        _named(parser_)
        parser_.add_argument("--tree", action="store_true", help="all branches, not only the one in view")
        parser_.add_argument("--thinking", action="store_true", help="also what models thought")
    export.add_argument("--format", choices=("md", "html", "json"), help="else by FILE's name; md without")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to FILE")
    export.add_argument("--force", action="store_true", help="also if FILE exists")
    take = verb("import", "add chats from files: ours, ChatGPT's, lists of messages, Ollama's", json)
    take.add_argument("files", nargs="+", metavar="FILE", help="a JSON file; - reads standard input")
    tags = verb("tag", "add tags to a chat, or take some away; say which it has", json)
    _named(tags)
    tags.add_argument("tags", nargs="*", metavar="TAG", help="tags to add")
    tags.add_argument("--remove", action="append", default=[], metavar="TAG", help="may be repeated")
    _named(verb("archive", "take chats out of the list"), several=True)
    _named(verb("unarchive", "put archived chats back into the list"), several=True)
    _named(verb("delete", "move chats to the trash"), several=True)
    _named(verb("restore", "take chats out of the trash"), several=True)
    purge = verb("purge", "delete chats of the trash for good; nothing brings them back")
    _named(purge, several=True)
    purge.add_argument("--yes", action="store_true", help="without asking")


def _add_looking(listing: argparse.ArgumentParser, search: argparse.ArgumentParser) -> None:
    which = listing.add_mutually_exclusive_group()
    which.add_argument("--archived", action="store_true", help="those that are archived")
    which.add_argument("--all", action="store_true", help="both those in use and the archived ones")
    listing.add_argument("--tag", metavar="TAG", help="only those with this tag")
    search.add_argument(
        "words",
        nargs="+",
        metavar="WORD",
        help='all must occur; "quoted" words together; tag:X, model:Y and in:archived limit where',
    )
    search.add_argument("-n", "--limit", type=int, default=20, metavar="N", help="show N at most (20)")


def _named(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Have the parser take the name of a chat, or of `several`."""
    about = "id, title, or part of one"
    if several:
        parser.add_argument("names", nargs="+", metavar="NAME", help=about)
    else:
        parser.add_argument("name", metavar="NAME", help=about)


def run(args: argparse.Namespace) -> int:
    """Carry a verb out."""
    from tui_chat.cli.sessions.place import open_place

    module, function = _VERBS[args.verb]
    work = getattr(importlib.import_module(f"tui_chat.cli.sessions.{module}"), function)
    return int(work(args, open_place(args.sessions)) or 0)
