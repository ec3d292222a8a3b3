"""`tui-chat config VERB`: its arguments, and which function carries a verb out."""

from __future__ import annotations

import argparse
import importlib

_VERBS = {
    "path": ("looking", "path"),
    "show": ("looking", "show"),
    "check": ("looking", "check"),
    "edit": ("changing", "edit"),
    "set": ("changing", "set_value"),
    "reset": ("changing", "reset"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, about: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=about, description=about, allow_abbrev=False)

    verb("path", "print the file of the settings, whether it is there or not")
    show = verb("show", "print what is in force, and where each value is from")
    show.add_argument("key", nargs="?", metavar="KEY", help="a setting or a table, such as ui.theme or ui")
    show.add_argument("--json", action="store_true", help="print a list of JSON objects")
    verb("edit", "open the file in $VISUAL or $EDITOR, and check it afterwards")
    verb("check", "say what is wrong with the file and the environment; exit status 1 if anything is")
    change = verb("set", "change one setting; everything else in the file stays as it is")
    change.add_argument("key", metavar="KEY", help="such as ui.theme")
    change.add_argument("value", metavar="VALUE", help="as TOML, or a bare word")
    reset = verb("reset", "leave a setting to its default")
    what = reset.add_mutually_exclusive_group(required=True)
    what.add_argument("key", nargs="?", metavar="KEY", help="a setting, or a table such as servers.gpu-box")
    what.add_argument("--all", action="store_true", help="all of them; a copy of the file is kept")


def run(args: argparse.Namespace) -> int:
    """Carry the verb out."""
    module, function = _VERBS[args.verb]
    status: int = getattr(importlib.import_module(f"tui_chat.cli.config.{module}"), function)(args)
    return status
