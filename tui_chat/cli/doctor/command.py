"""`tui-chat doctor`: look at everything that the chat needs, and say what to do about what is wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_chat.cli.doctor.finding import Finding

    Check = tuple[str, Callable[[], Iterable[Finding]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Look, print what was found, and return 0 only if nothing is wrong."""
    import msgspec

    from tui_chat.cli.doctor.finding import Verdict, written

    findings = [found for subject, check in _checks() for found in _found(subject, check)]
    bad = sum(each.verdict is Verdict.WRONG for each in findings)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode({"wrong": bad, "findings": findings})).decode())
    else:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")  # a terminal without the letters of somebody's folder
        print(written(findings))
    return 1 if bad else 0


def _checks() -> list[Check]:
    """What is looked at, in the order in which it is told."""
    import asyncio

    from tui_chat.cli.doctor import (
        asking,
        clipboard,
        colours,
        config,
        engine,
        folders,
        gpus,
        keys,
        models,
        sessions,
        terminal,
    )
    from tui_chat.config.paths import config_file, resolve_paths
    from tui_chat.config.reading import read_settings

    environ = dict(os.environ)
    reading = read_settings(config_file(), environ)
    settings = reading.settings
    paths = resolve_paths(settings.paths)
    seen = asking.look(environ)
    there: list[Check] = [
        (colours.SUBJECT, lambda: colours.check(environ, settings.ui.color, settings.ui.glyphs)),
        (clipboard.SUBJECT, lambda: asyncio.run(clipboard.check(environ))),
    ]
    return [
        (terminal.SUBJECT, lambda: terminal.check(environ, seen)),
        *(there if seen is not None else ()),
        (colours.SUBJECT, colours.check_themes),
        (keys.SUBJECT, lambda: keys.check(settings.keys)),
        (config.SUBJECT, lambda: config.check(reading)),
        (config.SUBJECT, config.check_presets),
        (folders.SUBJECT, lambda: folders.check(paths)),
        (gpus.SUBJECT, gpus.check),
        (engine.SUBJECT, lambda: asyncio.run(engine.check(paths))),
        (models.SUBJECT, lambda: models.check(paths, settings)),
        (sessions.SUBJECT, lambda: sessions.check(paths.sessions)),
    ]


def _found(subject: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check finds; one that fails is a finding itself, and the others go on."""
    from tui_chat.cli.doctor.finding import wrong
    from tui_chat.cli.failure import explain

    found: list[Finding] = []
    try:
        found.extend(check())
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the list
        found.append(wrong(subject, "It could not be looked at.", explain(error)))
    return found
