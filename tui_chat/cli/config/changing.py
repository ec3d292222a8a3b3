"""`tui-chat config edit|set|reset`: change the file of the settings, and in it only what is asked for."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.cli.config.looking import check, no_such
from tui_chat.cli.config.names import told
from tui_chat.config.declared import When
from tui_chat.config.paths import config_file
from tui_chat.config.reading import read_settings
from tui_chat.config.schema import KeyPath, Setting, ValueRefusedError, dotted, parsed, setting_at
from tui_chat.config.showing import shown
from tui_chat.store.errors import StoreError
from tui_chat.store.settings import SettingsFile

_EDITORS = ("sensible-editor", "nano", "vim", "vi")
"""Tried in this order where the environment names none."""


def edit(args: argparse.Namespace) -> int:
    """Open the file in an editor, as often as there is something wrong in it and somebody wants to go on."""
    command = _editor()
    if SettingsFile(config_file()).begin():
        print(f"{config_file()} is new: every setting is in it, as a comment.")
    while True:
        status = subprocess.run([*command, str(config_file())], check=False).returncode
        if status:
            what = f"{command[0]} ended with status {status}; the file is as it left it."
            sys.stderr.write(f"tui-chat: {what}\n")
        if not (wrong := check(args)) or not sys.stdin.isatty():
            return wrong or int(status != 0)
        sys.stderr.write("Open it again? [Y/n] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("", "y", "yes"):
            return wrong


def _editor() -> list[str]:
    """The editor with its arguments.

    Raises:
        StoreError: None is named that is there, and none of the usual ones is.
    """
    for variable in ("VISUAL", "EDITOR"):
        if said := os.environ.get(variable, "").strip():
            try:
                command = shlex.split(said)
            except ValueError:
                command = []
            if command and shutil.which(command[0]):
                return command
            raise StoreError(
                Problem(
                    ProblemCode.CONFIG_INVALID,
                    f"The editor that ${variable} names is not there: {said}.",
                    "Nothing was changed.",
                    f"Name another, such as {variable}=nano, or open {config_file()} yourself.",
                )
            )
    for name in _EDITORS:
        if shutil.which(name):
            return [name]
    raise StoreError(
        Problem(
            ProblemCode.CONFIG_INVALID,
            "No editor was found.",
            "Nothing was changed.",
            f"Name one, such as EDITOR=nano, or open {config_file()} yourself.",
        )
    )


def set_value(args: argparse.Namespace) -> int:
    """Change one setting."""
    path = parsed(args.key) or ()
    setting = setting_at(path) or setting_at(path[:-1])
    if setting is None:
        raise StoreError(no_such(args.key))
    try:
        value = setting.read(args.value) if setting.path == path else setting.read_entry(path[-1], args.value)
    except ValueRefusedError as refused:
        raise StoreError(
            Problem(
                ProblemCode.CONFIG_INVALID,
                f"{dotted(path)} has to be {refused}.",
                "The file is as it was.",
                f"Its default: {shown(setting, setting.default)}.",
            )
        ) from refused
    before = told(read_settings(config_file(), os.environ))
    SettingsFile(config_file()).set(path, value)
    print(f"{dotted(path)} = {shown(setting, value)}, {_when(setting)}")
    for line in told(read_settings(config_file(), os.environ)):
        if line not in before:
            sys.stderr.write(f"tui-chat: {line}\n")
    _overruled(setting)
    return 0


def _when(setting: Setting) -> str:
    """When what was written takes effect: a chat that is open reads no file again."""
    return f"{When.ENGINE} (tui-chat engine stop)" if setting.when is When.ENGINE else When.START.value


def reset(args: argparse.Namespace) -> int:
    """Leave one setting, or a table of them, to the defaults; or all."""
    if args.all:
        copy = SettingsFile(config_file()).reset_all()
        print(f"All is as usual. What was set is in {copy}." if copy else "All is as usual already.")
        return 0
    path = parsed(args.key) or ()
    reading = read_settings(config_file(), os.environ)
    was, there = _said(reading.document, path)
    setting = setting_at(path)
    if setting is None and not there:
        raise StoreError(no_such(args.key))
    if not there and not reading.broken:
        print(f"{dotted(path)} is not in {config_file()}.")
    else:
        SettingsFile(config_file()).reset(path)
        now = f" It was {shown(setting, was)}; now it is {shown(setting, setting.default)}" if setting else ""
        print(f"{dotted(path)} is taken out.{now}{f', {_when(setting)}.' if setting else ''}")
    if setting is not None:
        _overruled(setting)
    return 0


def _said(document: object, path: KeyPath) -> tuple[object, bool]:
    """What a document says at `path`, and whether it says anything there."""
    for part in path:
        if not isinstance(document, dict) or part not in document:
            return None, False
        document = document[part]
    return document, bool(path)


def _overruled(setting: Setting) -> None:
    if os.environ.get(setting.variable):
        sys.stderr.write(f"tui-chat: ${setting.variable} is set, and overrules it.\n")
