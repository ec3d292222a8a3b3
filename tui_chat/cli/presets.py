"""`tui-chat presets`: which there are, what one says, and where one's own are."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_chat.config.presets import FoundPresets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND")
    show = verbs.add_parser("show", help="print a preset as it stands in its file")
    show.add_argument("name", metavar="NAME")
    verbs.add_parser("path", help="print the folder for presets of your own, whether it is there or not")


def run(args: argparse.Namespace) -> int:
    """List, show, or say where. Files that cannot be used are told on stderr."""
    from tui_chat.config.presets import find_presets, own_presets_folder

    if args.verb == "path":
        print(own_presets_folder())
        return 0
    found = find_presets()
    for problem in found.problems:
        sys.stderr.write(f"tui-chat: {problem.what} {problem.remedy}\n")
    if args.verb == "show":
        import msgspec
        import tomli_w

        preset = found.named(args.name)
        print(tomli_w.dumps(msgspec.to_builtins(preset), multiline_strings=True), end="")
    else:
        print(_as_json(found) if args.json else _table(found))
    return 0


def _as_json(found: FoundPresets) -> str:
    import msgspec

    rows = [
        msgspec.to_builtins(each.preset) | {"source": each.source, "file": str(each.file)}
        for each in found.listed
    ]
    return msgspec.json.format(msgspec.json.encode(rows)).decode()


def _table(found: FoundPresets) -> str:
    rows = [("NAME", "FROM", "ABOUT")]
    rows += [(each.preset.name, each.source.value, each.preset.about) for each in found.listed]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{name:<{widths[0]}}  {source:<{widths[1]}}  {about}" for name, source, about in rows)
