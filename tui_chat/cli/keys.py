"""`tui-chat keys`: every command with its id and the keys it has, as the settings say."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_chat.ui.keymap import Keymap


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--set", choices=("default", "vim", "emacs"), help="show these keys instead")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """List the commands; what cannot be as the settings have it is told on stderr."""
    from tui_chat.cli.settings import load
    from tui_chat.config.keys import KeySet, KeySettings
    from tui_chat.ui.keymap import keymap_of

    settings = KeySettings(KeySet(args.set)) if args.set else load()[1].keys
    keymap = keymap_of(settings)
    for fault in keymap.faults:
        sys.stderr.write(f"tui-chat: {fault}.\n")
    print(_as_json(keymap) if args.json else _table(keymap))
    return 0


def _as_json(keymap: Keymap) -> str:
    import msgspec

    from tui_chat.ui.commands import COMMANDS

    rows = [
        {
            "id": each.id,
            "keys": [k for k in each.keys.split(",") if k],
            "does": each.title,
            "where": each.place.value,
        }
        for each in map(keymap.keyed, COMMANDS)
    ]
    return msgspec.json.format(msgspec.json.encode(rows)).decode()


def _table(keymap: Keymap) -> str:
    from tui_chat.cli.table import table
    from tui_chat.ui.commands import COMMANDS
    from tui_chat.ui.keynames import all_shown

    rows = [("COMMAND", "KEYS", "WHERE", "WHAT IT DOES")]
    rows += [
        (each.id, all_shown(each.keys), each.place.value, each.title) for each in map(keymap.keyed, COMMANDS)
    ]
    return table(rows)
