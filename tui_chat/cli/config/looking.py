"""`tui-chat config path|show|check`: what is in force, where it is from, and what is wrong with it."""

from __future__ import annotations

import argparse
import os
import sys

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.cli.config.names import told
from tui_chat.cli.table import table
from tui_chat.config.paths import config_file
from tui_chat.config.reading import Reading, read_settings
from tui_chat.config.schema import Setting, parsed, similar
from tui_chat.config.showing import masked, shown
from tui_chat.store.errors import StoreError


def path(args: argparse.Namespace) -> int:
    """Print where the file is, or would be."""
    print(config_file())
    return 0


def show(args: argparse.Namespace) -> int:
    """Print every setting, or some, with its value and where that is from."""
    reading = read_settings(config_file(), os.environ)
    found = _chosen(reading, args.key) if args.key else reading.all
    for line in reading.told:
        sys.stderr.write(f"tui-chat: {line}\n")
    if args.json:
        rows = [_row(reading, each) for each in found]
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
    else:
        rows_ = [("KEY", "VALUE", "FROM")]
        rows_ += [
            (each.key, shown(each, reading.value(each)), reading.origin(each).words(reading.file))
            for each in found
        ]
        print(table(rows_))
    return 0


def check(args: argparse.Namespace) -> int:
    """Print what is wrong, a line each; the exit status says whether anything is."""
    reading = read_settings(config_file(), os.environ)
    wrong = told(reading)
    for line in wrong:
        print(line)
    if not wrong:
        there = (
            "is in order" if reading.data is not None else "is not there, and need not be: all is as usual"
        )
        print(f"{reading.file} {there}.")
    return 1 if wrong else 0


def _chosen(reading: Reading, key: str) -> list[Setting]:
    """The settings at `key`, or in the table of that name.

    Raises:
        StoreError: There is none.
    """
    path = parsed(key)
    found = [each for each in reading.all if path is not None and each.path[: len(path)] == path]
    if not found:
        raise StoreError(no_such(key))
    return found


def no_such(key: str) -> Problem:
    """There is no setting called so."""
    close = similar(parsed(key) or (key,))
    meant = f"Did you mean {close}? " if close else ""
    return Problem(
        ProblemCode.CONFIG_INVALID,
        f"There is no setting “{key}”.",
        remedy=f"{meant}All there are: tui-chat config show",
    )


def _row(reading: Reading, setting: Setting) -> dict[str, object]:
    origin, value = reading.origin(setting), reading.value(setting)
    return {
        "key": setting.key,
        "value": masked(setting, value),
        "default": setting.default,
        "from": "environment" if origin.variable else "file" if origin.line is not None else "default",
        "line": origin.line,
        "variable": setting.variable,
        "about": setting.about,
        "takes": setting.wants,
        "takes_effect": setting.when,
    }
